//! The past of a directory: what a replica that lags behind still answers.

use super::super::wire::{Answer, Request};
use super::world::World;
use super::{AtlassianSim, Service as _};

/// A directory as it was.
pub struct Past(World);

impl AtlassianSim {
    /// The directory as it is now, to be answered from later.
    pub fn remember(&self) -> Past {
        Past(self.world.clone())
    }

    /// Answers a reading request from the past.
    pub fn answer_from(&mut self, past: &mut Past, request: &Request) -> Answer {
        std::mem::swap(&mut self.world, &mut past.0);
        let answer = self.answer(request);
        std::mem::swap(&mut self.world, &mut past.0);
        answer
    }
}
