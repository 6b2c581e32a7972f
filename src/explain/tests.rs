//! Explanations say what the hook does.
