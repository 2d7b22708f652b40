//! Simulators of both services, faithful to what is known of them, mistakes included.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each user of the simulators uses its own part of them"
)]

pub mod atlassian;
pub mod company;
pub mod duo;
pub mod stage;
pub mod wire;
