//! The integration tests: one binary, a room per subject.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says by panicking what went wrong"
)]

#[path = "../sim/mod.rs"]
mod sim;

mod architecture;
mod atlassian_sim;
mod duo_contract;
mod duo_sim;
mod laws;
mod rust_text;
mod scenario;
mod scim_contract;
mod tidy;
mod tree;
