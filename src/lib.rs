#![doc = include_str!("ARCHITECTURE.md")]

pub mod apply;
pub mod cli;
pub mod clock;
pub mod config;
pub mod cycle;
pub mod desired;
pub mod duo;
pub mod guard;
pub mod http;
pub mod model;
pub mod plan;
pub mod report;
pub mod scim;
pub mod store;
