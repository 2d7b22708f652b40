//! The integration tests: one binary, a room per subject.

#[path = "../play/mod.rs"]
mod play;
#[path = "../sim/mod.rs"]
mod sim;

mod architecture;
mod atlassian_sim;
mod daemon;
mod duo_contract;
mod duo_sim;
mod laws;
mod limit;
mod proxy;
mod rust_text;
mod scenario;
mod scim_contract;
mod seeds;
mod tidy;
mod tree;
