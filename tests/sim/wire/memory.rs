//! A service in memory: the same faults, no sockets, no thread, no time.

use super::fault::{End, Fault, apply};
use super::{Request, Service};

/// A simulated service that is called.
pub struct Memory<S> {
    /// Its state.
    pub service: S,
    /// What goes wrong.
    pub faults: Vec<Fault<S>>,
}

impl<S: Service> Memory<S> {
    /// A service that works.
    pub fn new(service: S) -> Self {
        Self { service, faults: Vec::new() }
    }

    /// Decides how a request ends, and does what it does to the service.
    pub fn respond(&mut self, request: &Request) -> End {
        let end = apply(&mut self.faults, request, &mut self.service);
        self.faults.retain(|fault| fault.times > 0);
        end
    }
}
