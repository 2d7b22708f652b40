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
mod timed;

mod access;
mod adoption;
mod answers;
mod approval;
mod arithmetic;
mod backup;
mod beside;
mod catalogue;
mod command;
mod crash;
mod database;
mod day;
mod disk;
mod dry_run;
mod failing;
mod foreign;
mod held;
mod history;
mod hostile;
mod idempotent;
mod members;
mod order;
mod output;
mod pains;
mod private;

mod saved;
mod settling;
mod status;
mod trust;
mod unread;
