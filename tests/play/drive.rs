//! Runs a future on a stepped clock, in one thread: whatever can go on goes on, and only then time passes.

use duo_atlassian_sync::clock::Clock;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// How a run ended.
#[derive(Debug)]
pub enum Driven<T> {
    /// By itself.
    Done(T),
    /// It was dropped where it stood, as a killed process is.
    Killed,
    /// Nothing could go on, and nobody waited for a moment; or it went on for ever.
    Stuck,
}

/// More polls than any cycle takes.
const POLLS_MAX: u32 = 5_000_000;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs it to its end, or until it is killed, which is asked after every move.
pub fn drive<T>(clock: &Clock, future: impl Future<Output = T>, mut is_killed: impl FnMut() -> bool) -> Driven<T> {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    for _ in 0..POLLS_MAX {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Driven::Done(output);
        }
        if is_killed() {
            return Driven::Killed;
        }
        if !flag.0.swap(false, Ordering::Relaxed) && !clock.step() {
            return Driven::Stuck;
        }
    }
    Driven::Stuck
}
