//! Appends events and reads them back.
