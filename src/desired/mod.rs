//! Turns a complete roster and the rules into the accounts and groups we want, with what is left out and why.

mod rules;

pub use rules::{Access, Rules, Selector, Wanted};
