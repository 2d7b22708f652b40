//! One transport for both services: time-outs, body caps, failure classes, the retry table, the request budget.
//!
//! There is no PUT and no DELETE, redirects are not followed, and nothing is sent but to the configured base URL.

mod budget;
mod build;
mod echo;
mod exchange;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod header;
mod message;
mod pace;
mod quota;
mod retry;
mod transport;

pub use build::{BuildTransportError, Paths, TransportSettings};
pub use exchange::{Arriving, Exchange};
pub use failure::{Effect, Failure, Phase};
pub use message::{Answer, Method, Request};
pub use quota::Quota;
pub use transport::Transport;

#[cfg(test)]
mod limit_tests;
