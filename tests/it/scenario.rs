//! Scenarios: the built program, both simulators, and a story in the domain's words.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a scene that cannot be set fails its test, and says why"
)]

mod duo;
mod expected;
mod picture;
mod scene;

mod access;
mod adoption;
mod approval;
mod arithmetic;
mod catalogue;
mod command;
mod crash;
mod database;
mod day;
mod dry_run;
mod held;
mod hostile;
mod idempotent;
mod order;
mod pains;

mod saved;
mod status;
mod unread;
