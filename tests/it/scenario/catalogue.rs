//! The catalogue of bad readings: whatever Duo, or what stands before it, answers, nobody loses anything by it.
//!
//! Each entry is a settled world and one thing that goes wrong. It says how the sync must end and with which words; that
//! nothing was sent and that snapshot and links are as they were holds for all of them.

mod answers;
mod contents;
mod moving;
mod pages;
mod records;
mod world;

use super::scene::Scene;
use std::collections::BTreeMap;
use std::panic;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use world::{Way, settled};

/// One bad reading.
struct Entry {
    /// The path of its test.
    test: &'static str,
    /// How the world is read.
    way: Way,
    end: End,
    /// What the sync says, beside its exit code.
    words: &'static [&'static str],
    /// What goes wrong.
    fault: fn(&Scene, Way),
}

/// How a sync ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With 3. Once it is over, what was due all the while is done.
    Unread,
    /// With 3, because the world moved: the next reading finds another one.
    UnreadThisTime,
    /// With 5: a person decides.
    Held,
    /// With 0: there is nothing to do.
    Quiet,
}

/// Entries by name, each with a test of its own.
macro_rules! bad_readings {
    ($($name:ident: $way:ident, $end:ident, $words:expr, $fault:expr;)*) => {
        pub(super) const ENTRIES: &[super::Entry] = &[$(super::Entry {
            test: concat!(module_path!(), "::", stringify!($name)),
            way: super::world::Way::$way,
            end: super::End::$end,
            words: &$words,
            fault: $fault,
        }),*];
        $(#[test]
        fn $name() {
            super::judge(concat!(module_path!(), "::", stringify!($name)));
        })*
    };
}
use bad_readings;

/// So many run at once. They mostly wait: what does not add up is read again after a second, and once more after two.
const AT_ONCE: usize = 32;

fn entries() -> Vec<&'static Entry> {
    [pages::ENTRIES, answers::ENTRIES, contents::ENTRIES, records::ENTRIES].into_iter().flatten().collect()
}

/// Runs the entry of this test; all that are asked for together, once.
fn judge(test: &str) {
    static ALL: LazyLock<BTreeMap<&'static str, Result<(), String>>> = LazyLock::new(|| {
        let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
        let is_asked = |entry: &&Entry| asked.is_empty() || asked.iter().any(|part| entry.test.contains(part.as_str()));
        let all: Vec<_> = entries().into_iter().filter(is_asked).collect();
        all_together(&all, |entry| (entry.test, entry.run_caught())).into_iter().collect()
    });
    // Asked for in words that are not in its path: by itself, then.
    let alone = || entries().into_iter().find(|entry| entry.test == test).map(Entry::run_caught);
    if let Err(what) = ALL.get(test).cloned().or_else(alone).expect("an entry of the catalogue") {
        panic!("{what}");
    }
}

/// Does something to all of these, several at once.
fn all_together<T: Sync, R: Send>(all: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (next, act) = (&next, &act);
    let work = move || {
        let mut done = Vec::new();
        while let Some(item) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(act(item));
        }
        done
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    })
}

impl Entry {
    fn run_caught(&self) -> Result<(), String> {
        panic::catch_unwind(|| self.run()).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        })
    }

    fn run(&self) {
        let scene = settled(self.way);
        let healthy = scene.duo(|duo| duo.sim.switches.clone());
        let is_due = self.end == End::Unread;
        if is_due {
            scene.duo(|duo| duo.status("z", "disabled"));
        }
        (self.fault)(&scene, self.way);
        let code = match self.end {
            End::Unread | End::UnreadThisTime => 3,
            End::Held => 5,
            End::Quiet => 0,
        };
        let ran = scene.changes_nothing(code, &["sync"]);
        for word in self.words {
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains(word), "not said: {word}\n{said}");
        }
        assert!(scene.target_requests().is_empty(), "{:?}", scene.target_requests());
        scene.stage.duo.clear_faults();
        scene.duo(|duo| duo.sim.switches = healthy);
        if is_due {
            scene.ends(0, &["sync"]);
            assert_eq!(scene.effects(), ["z left eng", "deactivated z"]);
        }
    }
}

#[test]
fn the_catalogue_is_long_and_covers_both_ways_of_reading() {
    let of = |way: Way| entries().iter().filter(|entry| entry.way == way).count();
    assert!(of(Way::Everyone) >= 30 && of(Way::Members) >= 15, "{} and {}", of(Way::Everyone), of(Way::Members));
    let names: std::collections::BTreeSet<_> = entries().iter().map(|entry| entry.test).collect();
    assert_eq!(names.len(), entries().len());
}

#[test]
fn each_world_is_read_in_its_way() {
    for (way, asks_members) in [(Way::Everyone, false), (Way::Members, true)] {
        let scene = settled(way);
        scene.changes_nothing(0, &["sync"]);
        let requests = scene.source_requests();
        assert_eq!(requests.iter().any(|line| line.contains("/admin/v2/groups/")), asks_members, "{requests:#?}");
        assert!(requests.iter().any(|line| line.contains("offset=5")), "it has several pages: {requests:#?}");
    }
}
