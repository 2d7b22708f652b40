//! Plays seeds: the real cycle, store and clients in a simulated world in which everything goes wrong.
//!
//! `cargo run --release --example seeds -- --from 0 --count 100000` plays many; `-- --seed 17 -v` tells the story of
//! one.

#[path = "../tests/play/mod.rs"]
mod play;
#[path = "../tests/sim/mod.rs"]
mod sim;

use clap::Parser;
use play::{Broken, Numbers, Play, Story};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Plays seeds, and says which promise was broken by which.
#[derive(Debug, Parser)]
#[command(name = "seeds", max_term_width = 100)]
struct Arguments {
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
    /// So many seeds
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    count: u64,
    /// This seed alone
    #[arg(long, value_name = "N", conflicts_with_all = ["from", "count"])]
    seed: Option<u64>,
    /// Tell the whole story
    #[arg(short, long)]
    verbose: bool,
    /// Go on after a broken promise, and list them all
    #[arg(long)]
    go_on: bool,
    /// So many at once [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// So many lines of the story are shown before the end that went wrong.
const LINES_SHOWN: usize = 40;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.seed {
        Some(seed) => one(seed, arguments.verbose),
        None => many(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "the play cannot be set: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays one seed, and tells its story.
fn one(seed: u64, whole: bool) -> io::Result<bool> {
    let lines = std::sync::Arc::new(Mutex::new(Vec::<String>::new()));
    let told = std::sync::Arc::clone(&lines);
    let story = Story::told_to(Box::new(move |line| {
        if whole {
            let _ = writeln!(io::stdout(), "{line}");
        } else {
            let mut lines = told.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(line.to_owned());
        }
    }));
    let played = Play { seed, sabotage: None }.run_somewhere(story)?;
    let mut out = io::stdout().lock();
    match played {
        Ok(numbers) => {
            writeln!(out, "seed {seed}: every promise was kept; {numbers:?}")?;
            Ok(true)
        }
        Err(broken) => {
            let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            for line in lines.iter().skip(lines.len().saturating_sub(LINES_SHOWN)) {
                writeln!(out, "{line}")?;
            }
            report(seed, &broken)?;
            Ok(false)
        }
    }
}

fn report(seed: u64, broken: &Broken) -> io::Result<()> {
    let mut out = io::stderr().lock();
    writeln!(out, "seed {seed} broke {:?}: {}", broken.promise, broken.what)?;
    writeln!(out, "again, with the whole story: cargo run --release --example seeds -- --seed {seed} -v")
}

/// What all threads share.
struct Shared {
    next: AtomicU64,
    stop: AtomicBool,
    broken: Mutex<Vec<(u64, Broken)>>,
    numbers: Mutex<(u64, Numbers)>,
}

#[expect(clippy::disallowed_methods, reason = "how long it took is said to whoever waits for it")]
fn many(arguments: &Arguments) -> io::Result<bool> {
    let until = arguments.from.saturating_add(arguments.count);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let shared = Shared {
        next: AtomicU64::new(arguments.from),
        stop: AtomicBool::new(false),
        broken: Mutex::default(),
        numbers: Mutex::default(),
    };
    let started = Instant::now();
    let failed = std::thread::scope(|scope| {
        let play = || -> io::Result<()> {
            loop {
                let seed = shared.next.fetch_add(1, Ordering::Relaxed);
                if seed >= until || shared.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                match (Play { seed, sabotage: None }).run_somewhere(Story::untold())? {
                    Ok(numbers) => add(&shared, numbers, started.elapsed()),
                    Err(broken) => {
                        report(seed, &broken)?;
                        shared.broken.lock().unwrap_or_else(PoisonError::into_inner).push((seed, broken));
                        shared.stop.fetch_or(!arguments.go_on, Ordering::Relaxed);
                    }
                }
            }
        };
        let threads: Vec<_> = (0..arguments.threads.unwrap_or(cores)).map(|_| scope.spawn(play)).collect();
        let ended =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a panic"))));
        ended.collect::<io::Result<Vec<()>>>().err()
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let (seeds, numbers) = *shared.numbers.lock().unwrap_or_else(PoisonError::into_inner);
    let broken = shared.broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut out = io::stdout().lock();
    writeln!(out, "{}", line(seeds, &numbers, started.elapsed()))?;
    if let (Some((seed, _)), false) = (broken.first(), arguments.go_on) {
        drop(out);
        return one(*seed, false);
    }
    let mut kinds = std::collections::BTreeMap::<_, Vec<u64>>::new();
    for (seed, broken) in &broken {
        kinds.entry(broken.promise).or_default().push(*seed);
    }
    for (promise, seeds) in &kinds {
        writeln!(out, "{:5} x {promise:?}: {:?}", seeds.len(), seeds.iter().take(8).collect::<Vec<_>>())?;
    }
    Ok(broken.is_empty())
}

fn add(shared: &Shared, more: Numbers, elapsed: Duration) {
    let mut numbers = shared.numbers.lock().unwrap_or_else(PoisonError::into_inner);
    numbers.0 += 1;
    numbers.1.add(&more);
    if numbers.0.is_multiple_of(500) {
        let _ = writeln!(io::stderr(), "{}", line(numbers.0, &numbers.1, elapsed));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn line(seeds: u64, numbers: &Numbers, elapsed: Duration) -> String {
    let minutes = elapsed.as_secs_f64() / 60.0;
    let rate = numbers.cycles as f64 / minutes.max(f64::MIN_POSITIVE);
    format!(
        "{seeds} seeds, {} cycles ({rate:.0} a minute), {} requests, {} faults, {} kills, {} decisions, {} changes of the target, in {:.1} s",
        numbers.cycles,
        numbers.requests,
        numbers.faults,
        numbers.kills,
        numbers.decisions,
        numbers.effects,
        elapsed.as_secs_f64()
    )
}
