//! Plans against limits.
