//! What wakes the worker: tokio-cron-scheduler as a trigger, and nothing else.
//!
//! Its jobs only leave a note. It may run them at the same time, late or twice: notes of one kind are one note.

use super::Wake;
use crate::schedule::Schedule;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Notes that were left and not read yet.
#[derive(Default)]
pub(super) struct Notes {
    waiting: Mutex<Option<Wake>>,
    left: Notify,
}

impl Notes {
    /// Leaves a note. One for a refresh stands for a cycle too.
    pub(super) fn leave(&self, wake: Wake) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = Some(waiting.map_or(wake, |earlier| earlier.max(wake)));
        self.left.notify_one();
    }

    /// Takes the note, or waits for one. Dropping the future loses none.
    pub(super) async fn take(&self) -> Wake {
        loop {
            let taken = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(wake) = taken {
                return wake;
            }
            self.left.notified().await;
        }
    }
}

/// A running scheduler; it ends with [`Trigger::stop`].
pub(super) struct Trigger {
    scheduler: JobScheduler,
}

impl Trigger {
    /// Starts two jobs, in UTC.
    pub(super) async fn start(
        notes: &Arc<Notes>,
        cycles: &Schedule,
        refreshes: &Schedule,
    ) -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        for (schedule, wake) in [(cycles, Wake::Cycle), (refreshes, Wake::Refresh)] {
            let notes = Arc::clone(notes);
            let job = Job::new_async(schedule.as_str(), move |_, _| {
                notes.leave(wake);
                Box::pin(std::future::ready(()))
            })?;
            scheduler.add(job).await?;
        }
        scheduler.start().await?;
        Ok(Self { scheduler })
    }

    pub(super) async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(error = %error, "the scheduler did not end in order");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Notes, Wake};

    #[tokio::test]
    async fn notes_of_a_busy_time_are_one_and_a_refresh_is_not_forgotten() {
        let notes = Notes::default();
        for wake in [Wake::Cycle, Wake::Refresh, Wake::Cycle, Wake::Cycle] {
            notes.leave(wake);
        }
        assert_eq!(notes.take().await, Wake::Refresh);
        notes.leave(Wake::Cycle);
        assert_eq!(notes.take().await, Wake::Cycle);
        let next = futures_util::FutureExt::now_or_never(notes.take());
        assert_eq!(next, None, "every note is read once");
    }
}
