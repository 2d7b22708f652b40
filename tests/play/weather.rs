//! What becomes of a request on its way: a schedule of faults, drawn from the seed.

use super::dice::Dice;
use crate::sim::wire::{Answer, Edit, Effect, Fault, Match, Service};
use std::time::Duration;

/// One of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The source.
    Duo,
    /// The target.
    Atlassian,
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Well,
    /// No connection comes about.
    Refused,
    /// The connection is reset before the service sees it.
    Lost,
    /// The service does it, and the connection is reset.
    Unanswered,
    /// Nothing ever comes, and the service does not see it.
    Silent,
    /// The service does it at once, and answers so many seconds later.
    Slow(u64),
    /// It reaches the service so many seconds later, also when nobody waits for it any more.
    Late(u64),
    /// Another status; where it says so, the service has done it all the same.
    Status(u16, Option<u64>, Does),
    /// The body is cut after so many bytes.
    Cut(usize),
    /// A page of HTML.
    Page(Does),
    /// A reading from a replica that lags behind.
    Stale,
}

/// Whether the service does what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It does.
    It,
    /// It does not see the request.
    Nothing,
}

impl Fate {
    /// Whether the sender cannot know what became of a write.
    pub fn leaves_doubt(self) -> bool {
        match self {
            Self::Well | Self::Refused | Self::Stale => false,
            // A request that is refused with 429 was certainly not carried out.
            Self::Status(status, ..) => status != 429,
            Self::Lost
            | Self::Unanswered
            | Self::Silent
            | Self::Slow(_)
            | Self::Late(_)
            | Self::Cut(_)
            | Self::Page(_) => true,
        }
    }

    /// The fault of the simulator that it is, if it is one.
    pub fn fault<S: Service>(self) -> Option<Fault<S>> {
        let instead = |does: Does, answer: Answer| match does {
            Does::Nothing => Effect::Answer(answer),
            Does::It => {
                let edit: Edit = Box::new(move |_, real| *real = answer.clone());
                Effect::Rewrite(edit)
            }
        };
        let effect = match self {
            Self::Well | Self::Refused | Self::Late(_) | Self::Stale => return None,
            Self::Lost => Effect::CloseBefore,
            Self::Unanswered => Effect::CloseAfter,
            Self::Silent => Effect::Never,
            Self::Slow(seconds) => Effect::Delay(Duration::from_secs(seconds)),
            Self::Cut(bytes) => Effect::CutBody(bytes),
            Self::Page(does) => instead(does, Answer::html(200, "<html><title>Sign in</title></html>")),
            Self::Status(status, wait, does) => {
                let answer = Answer::html(status, "<html>no</html>");
                let answer = match wait {
                    Some(seconds) => answer.with_header("Retry-After", &seconds.to_string()),
                    None => answer,
                };
                instead(does, answer)
            }
        };
        Some(Fault::once(Match::any(), effect))
    }
}

/// How bad it is on one side during one cycle.
#[derive(Clone, Copy, Debug, Default)]
struct Sky {
    per_mille: u64,
    /// Everything meets this.
    outage: Option<Fate>,
}

/// The schedule of one seed.
#[derive(Debug)]
pub struct Weather {
    dice: Dice,
    /// Faults in a thousand requests, in a cycle that has any.
    mood: u64,
    /// Whether readings may lag behind.
    lags: bool,
    duo: Sky,
    atlassian: Sky,
}

impl Weather {
    /// The weather of a seed.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed, "weather");
        let mood = dice.one_of([0, 10, 50, 50, 200]);
        let lags = mood > 0 && dice.happens(500);
        Self { dice, mood, lags, duo: Sky::default(), atlassian: Sky::default() }
    }

    /// Whether readings may lag behind at all.
    pub const fn lags(&self) -> bool {
        self.lags
    }

    /// Nothing goes wrong any more.
    pub fn clears_up(&mut self) {
        (self.mood, self.lags) = (0, false);
        (self.duo, self.atlassian) = (Sky::default(), Sky::default());
    }

    /// A new cycle, another sky.
    pub fn turn(&mut self) {
        for side in [Side::Duo, Side::Atlassian] {
            let outage = if self.mood > 0 && self.dice.happens(30) { self.outage() } else { None };
            let per_mille = if self.dice.happens(600) { self.mood } else { 0 };
            let sky = Sky { per_mille, outage };
            match side {
                Side::Duo => self.duo = sky,
                Side::Atlassian => self.atlassian = sky,
            }
        }
    }

    fn outage(&mut self) -> Option<Fate> {
        let page = Fate::Page(Does::Nothing);
        let busy = |status| Fate::Status(status, None, Does::Nothing);
        Some(self.dice.one_of([Fate::Refused, Fate::Lost, Fate::Silent, page, busy(500), busy(503), busy(429)]))
    }

    /// What becomes of the next request.
    pub fn fate(&mut self, side: Side) -> Fate {
        let sky = match side {
            Side::Duo => self.duo,
            Side::Atlassian => self.atlassian,
        };
        if let Some(outage) = sky.outage {
            return outage;
        }
        if !self.dice.happens(sky.per_mille) {
            return Fate::Well;
        }
        let dice = &mut self.dice;
        let does = dice.one_of([Does::It, Does::Nothing]);
        let wait = if dice.happens(500) { Some(dice.one_of([0, 1, 5, 30, 119, 600])) } else { None };
        let bytes = dice.below(400);
        match dice.below(14) {
            0 => Fate::Refused,
            1 => Fate::Lost,
            2 | 3 => Fate::Unanswered,
            4 => Fate::Silent,
            5 => Fate::Slow(dice.between(1, 200)),
            6 => Fate::Late(dice.between(1, 150)),
            7 => Fate::Status(429, wait, Does::Nothing),
            8 => Fate::Status(503, wait, does),
            9 => Fate::Status(dice.one_of([500, 502, 504]), None, does),
            10 => Fate::Cut(bytes),
            11 => Fate::Page(does),
            _ if self.lags => Fate::Stale,
            _ => Fate::Status(500, None, does),
        }
    }

    /// How long a request, or an answer, is on its way.
    pub fn latency(&mut self) -> Duration {
        Duration::from_millis(self.dice.between(2, 180))
    }

    /// Whether a request that is on its way arrives although its sender is dead.
    pub fn arrives_all_the_same(&mut self) -> bool {
        self.dice.happens(500)
    }
}
