//! Scenarios: the built program, both simulators, and a story in the domain's words.

mod duo;
mod expected;
mod picture;
mod scene;

mod access;
mod adoption;
mod approval;
mod crash;
mod database;
mod day;
mod dry_run;
mod held;
mod hostile;
mod idempotent;
mod order;
mod status;
mod unread;
