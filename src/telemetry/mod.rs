//! What the program says about itself while it runs: log lines, numbers, health. Ids only, never names or addresses
//! (S20).

pub mod log;
pub mod metric;
mod server;

pub use server::{Health, ServeError, Server};
