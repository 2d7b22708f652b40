//! One transport for both services: time-outs, body caps, failure classes, the retry table, the request budget.
//!
//! There is no PUT and no DELETE, redirects are not followed, and nothing is sent but to the configured base URL.

mod budget;
mod build;
mod failure;
mod header;
mod message;
mod retry;
mod transport;

pub use build::{BuildTransportError, TransportSettings};
pub use failure::{Effect, Failure, Phase};
pub use message::{Answer, Method, Request};
pub use transport::Transport;
