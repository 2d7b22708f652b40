//! Killed (SIGKILL) at every request and at every write to the database, and started again: the end is as if nothing
//! had happened, and nothing is done twice.
//!
//! Requests are counted by the simulators, writes by a tracer (`trace`), commits also by what SQLite's log holds
//! (`wal`); a point at which the program did not die fails the test.

mod command;
mod commit;
mod company;
mod request;
mod story;
mod trace;
mod wal;
