//! How far the sending is.

/// When a wave of requests begins, and after each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Requests that were answered, or given up.
    pub sent: usize,
    /// Requests of the whole plan.
    pub total: usize,
}
