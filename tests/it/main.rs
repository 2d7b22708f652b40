//! The integration tests: one binary, a room per subject.

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
