//! Answers like a vendor, well or badly, as told.
