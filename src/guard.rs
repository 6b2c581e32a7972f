//! Admits a message or refuses it with a reason, given counts.
