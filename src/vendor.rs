//! Turns a definition and an attempt into an HTTP request, a response into a verdict.
