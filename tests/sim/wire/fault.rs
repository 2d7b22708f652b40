//! Faults: what goes wrong with which requests.

use std::time::Duration;

use super::query::decode_component;
use super::{Answer, Request, Service};

/// Something that goes wrong with some of the requests.
///
/// `skip` counts every matching request; `times` counts only those on which the fault acted. Where several faults
/// are due at one request, those that only change the world, the answer or its time act together, in the order they
/// were added; of those that end the request (an answer instead, a cut, silence) the oldest acts and the others wait.
pub struct Fault<S> {
    /// Which requests.
    pub on: Match,
    /// So many matching requests are left alone first.
    pub skip: usize,
    /// How often it acts; `usize::MAX` is always.
    pub times: usize,
    /// What happens.
    pub effect: Effect<S>,
}

impl<S> Fault<S> {
    /// At the next matching request only.
    pub fn once(on: Match, effect: Effect<S>) -> Self {
        Self { on, skip: 0, times: 1, effect }
    }

    /// At every matching request.
    pub fn always(on: Match, effect: Effect<S>) -> Self {
        Self { on, skip: 0, times: usize::MAX, effect }
    }

    /// The same fault, at so many matching requests.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// The same fault, but so many matching requests are left alone first.
    #[must_use]
    pub fn after(self, skip: usize) -> Self {
        Self { skip, ..self }
    }
}

/// Edits an answer.
pub type Edit = Box<dyn FnMut(&Request, &mut Answer) + Send>;

/// What a fault does.
pub enum Effect<S> {
    /// This answer instead of the service's, which does not see the request.
    Answer(Answer),
    /// The service answers, then this edits what it said.
    Rewrite(Edit),
    /// Changes the world before the service answers.
    World(Box<dyn FnMut(&mut S) + Send>),
    /// Changes the world after the answer was computed, and before it leaves.
    WorldAfter(Box<dyn FnMut(&mut S) + Send>),
    /// The connection is reset; the service does not see the request.
    CloseBefore,
    /// The service does what it was asked, and the connection closes without an answer.
    CloseAfter,
    /// The whole length is announced, so many bytes of the body are sent, and the connection closes.
    CutBody(usize),
    /// The connection stays open and nothing ever comes; the service does not see the request.
    Never,
    /// The service does what it was asked at once, and the answer leaves this much later.
    Delay(Duration),
}

impl<S> Effect<S> {
    /// Whether it decides how the request ends, so that only one such effect can act on it.
    pub(super) fn ends(&self) -> bool {
        match self {
            Self::Answer(_) | Self::CloseBefore | Self::CloseAfter | Self::CutBody(_) | Self::Never => true,
            Self::Rewrite(_) | Self::World(_) | Self::WorldAfter(_) | Self::Delay(_) => false,
        }
    }
}

/// Which requests a fault is about.
#[derive(Clone, Debug)]
pub struct Match {
    /// Their method.
    pub method: MethodMatch,
    /// Their path, as sent.
    pub path: PathMatch,
    /// What their query contains, as sent or decoded; `None`: any query.
    pub query_contains: Option<String>,
}

/// A condition on the method.
#[derive(Clone, Debug)]
pub enum MethodMatch {
    /// Any.
    Any,
    /// This one.
    Is(String),
    /// Whatever is not GET, HEAD or OPTIONS.
    Writes,
}

/// A condition on the path.
#[derive(Clone, Debug)]
pub enum PathMatch {
    /// Any.
    Any,
    /// This one.
    Exact(String),
    /// It begins so.
    Prefix(String),
    /// It contains this.
    Contains(String),
}

impl Match {
    /// Every request.
    pub fn any() -> Self {
        Self { method: MethodMatch::Any, path: PathMatch::Any, query_contains: None }
    }

    /// Every request that is meant to change something.
    pub fn writes() -> Self {
        Self { method: MethodMatch::Writes, ..Self::any() }
    }

    /// Requests of this method, on any path.
    pub fn method(method: &str) -> Self {
        Self { method: MethodMatch::Is(method.to_owned()), ..Self::any() }
    }

    /// GET of exactly this path.
    pub fn get(path: &str) -> Self {
        Self::method("GET").at(path)
    }

    /// The same, at exactly this path.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        Self { path: PathMatch::Exact(path.to_owned()), ..self }
    }

    /// The same, where the path begins so.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        Self { path: PathMatch::Prefix(prefix.to_owned()), ..self }
    }

    /// The same, where the path contains this.
    #[must_use]
    pub fn containing(self, part: &str) -> Self {
        Self { path: PathMatch::Contains(part.to_owned()), ..self }
    }

    /// The same, where the query, as sent or decoded, contains this.
    #[must_use]
    pub fn with_query(self, part: &str) -> Self {
        Self { query_contains: Some(part.to_owned()), ..self }
    }

    /// Whether this request is meant.
    pub fn covers(&self, request: &Request) -> bool {
        let method = match &self.method {
            MethodMatch::Any => true,
            MethodMatch::Is(method) => *method == request.method,
            MethodMatch::Writes => !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS"),
        };
        let path = match &self.path {
            PathMatch::Any => true,
            PathMatch::Exact(path) => *path == request.path,
            PathMatch::Prefix(prefix) => request.path.starts_with(prefix.as_str()),
            PathMatch::Contains(part) => request.path.contains(part.as_str()),
        };
        let query = |part: &String| {
            request.query.contains(part.as_str()) || decode_component(&request.query).contains(part.as_str())
        };
        method && path && self.query_contains.as_ref().is_none_or(query)
    }
}

/// How a request ends.
#[derive(Debug)]
pub enum End {
    /// With so much of the body of this answer, so much later.
    Answered {
        /// The answer, whole.
        answer: Answer,
        /// So many bytes of its body arrive; `usize::MAX` is all.
        body_bytes: usize,
        /// So much later.
        delay: Duration,
    },
    /// The connection is reset.
    Reset,
    /// The connection closes.
    Closed,
    /// Nothing comes.
    Silence,
}

/// Lets the service answer the request as far as the faults allow.
pub(super) fn apply<S: Service>(faults: &mut [Fault<S>], request: &Request, service: &mut S) -> End {
    let mut due = Vec::new();
    let mut ended = false;
    for fault in faults.iter_mut().filter(|fault| fault.on.covers(request)) {
        if fault.skip > 0 {
            fault.skip -= 1;
        } else if !(fault.effect.ends() && ended) {
            ended |= fault.effect.ends();
            fault.times = if fault.times == usize::MAX { usize::MAX } else { fault.times.saturating_sub(1) };
            due.push(&mut fault.effect);
        }
    }
    for effect in &mut due {
        if let Effect::World(change) = effect {
            change(service);
        }
    }
    let instead = due.iter().find_map(|effect| match effect {
        Effect::CloseBefore => Some(Err(End::Reset)),
        Effect::Never => Some(Err(End::Silence)),
        Effect::Answer(answer) => Some(Ok(answer.clone())),
        Effect::Rewrite(_)
        | Effect::World(_)
        | Effect::WorldAfter(_)
        | Effect::CloseAfter
        | Effect::CutBody(_)
        | Effect::Delay(_) => None,
    });
    let mut answer = match instead {
        Some(Err(end)) => return end,
        Some(Ok(answer)) => answer,
        None => service.answer(request),
    };
    let (mut body_bytes, mut delay, mut closed) = (usize::MAX, Duration::ZERO, false);
    for effect in due {
        match effect {
            Effect::Rewrite(edit) => edit(request, &mut answer),
            Effect::WorldAfter(change) => change(service),
            Effect::CutBody(bytes) => body_bytes = *bytes,
            Effect::Delay(more) => delay += *more,
            Effect::CloseAfter => closed = true,
            Effect::Answer(_) | Effect::World(_) | Effect::CloseBefore | Effect::Never => {}
        }
    }
    if closed { End::Closed } else { End::Answered { answer, body_bytes, delay } }
}
