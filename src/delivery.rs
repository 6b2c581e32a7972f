//! Says what to do next for one message.
