//! The simulated Duo and the wire under it, seen from outside: a client over plain sockets, nothing of the daemon.

mod client;
mod faults;
mod reading;
mod refusals;
mod signatures;
