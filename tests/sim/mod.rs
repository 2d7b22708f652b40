//! Simulators of both services, faithful to what is known of them, mistakes included.

pub mod wire;
