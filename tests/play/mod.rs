//! A play: the real cycle, store and clients in a simulated world, with everything that goes wrong drawn from one seed.
//!
//! One thread, one stepped clock, no socket: the same seed is the same play, to the last request.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::wildcard_enum_match_arm,
    clippy::unnecessary_wraps,
    clippy::needless_for_each,
    clippy::struct_excessive_bools,
    clippy::ref_option,
    reason = "tests and example use their own parts of it; a script reads better with fewer rules"
)]

mod city;
mod config;
mod crash;
mod dice;
pub mod drive;
mod ending;
mod office;
mod program;
mod sabotage;
mod script;
mod story;
mod truth;
mod verify;
mod watch;
mod weather;
mod wire;

pub use city::Numbers;
pub use sabotage::Sabotage;
pub use story::Story;
pub use watch::{Broken, Promise};
pub use wire::as_received;

use city::City;
use dice::Dice;
use duo_atlassian_sync::clock::Clock;
use office::Office;
use program::{Program, Ran};
use std::io;
use std::path::Path;
use std::time::Duration;

/// 2026-11-23 14:00:00 UTC.
const START: i64 = 1_795_442_400;

/// One play.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// From which everything is drawn.
    pub seed: u64,
    /// What is wrong with the program on purpose; then the weather is fine, and nothing dies.
    pub sabotage: Option<Sabotage>,
}

impl Play {
    /// Plays it; the database is kept in this folder, which is empty.
    pub fn run(self, folder: &Path, story: Story) -> Result<Numbers, Broken> {
        let seed = self.seed;
        let database = folder.join("state.db");
        let clock = Clock::stepped(START, seed);
        let mut city = City::new(seed, clock, &database, story);
        city.found();
        if self.sabotage.is_some() {
            city.sabotage = self.sabotage;
            city.weather.clears_up();
        }
        let mut program = Program::new(seed, city, &database);
        if self.sabotage.is_some() {
            program.becomes_immortal();
        }
        let (mut office, mut dice) = (Office::of(seed), Dice::of(seed, "days"));
        for _ in 0..dice.between(1, 4) {
            for _ in 0..dice.between(2, 6) {
                hour(&mut program, &mut office, &mut dice)?;
            }
            program.pass(Duration::from_hours(dice.between(8, 20)));
        }
        ending::end_well(&mut program)?;
        let numbers = program.town().numbers;
        Ok(numbers)
    }

    /// Plays it in a folder of its own, in memory where there is such a place.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn run_somewhere(self, story: Story) -> io::Result<Result<Numbers, Broken>> {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
        Ok(self.run(folder.path(), story))
    }
}

/// Things happen, and then a cycle begins.
fn hour(program: &mut Program, office: &mut Office, dice: &mut Dice) -> Result<(), Broken> {
    for _ in 0..dice.below(4) {
        program.town().happen();
    }
    office.work(program)?;
    program.pass(Duration::from_mins(10 * dice.between(1, 6)));
    if dice.happens(100) {
        program.town().interruptions = vec![dice.between(1, 20)];
    }
    let mut ran = office::sync(program)?;
    program.town().interruptions.clear();
    if matches!(ran, Ran::Killed) && dice.happens(500) {
        // The service manager starts it again.
        program.pass(Duration::from_secs(dice.between(61, 200)));
        ran = office::sync(program)?;
    }
    if office.decide(program)? && !matches!(ran, Ran::Killed) {
        program.pass(Duration::from_mins(10));
        office::sync(program)?;
    }
    Ok(())
}
