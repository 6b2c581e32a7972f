//! Two vendors at ten messages a second, one of which falls ill.
