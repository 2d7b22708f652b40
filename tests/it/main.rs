//! The integration tests: one binary, a room per subject.

#[path = "../sim/mod.rs"]
mod sim;

mod atlassian_sim;
mod duo_contract;
mod duo_sim;
mod scenario;
mod scim_contract;
