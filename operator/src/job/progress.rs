//! How far parties are: the last word of each one's log, asked for while they run long.
//!
//! Pods have no token to write it themselves. Who runs shortly is not asked, and who runs long is asked more and more seldom. The more
//! jobs run, the more seldom the status of each says how its parties stand: it would cost more writes than the job itself.

use super::{attempt::Attempt, status::Draft};
use crate::{clock, error::Error, names::Seat};
use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::timeout;
use veilgrid_api::{
    labels::CONTAINER,
    status::{PartyPhase, Progress, Step},
};

/// How long a party runs before it is asked, and the least between two questions.
const FIRST: Duration = Duration::from_secs(10);
/// The most between two questions.
const LONGEST: Duration = Duration::from_secs(120);

/// How long an answer is waited for: a node that is cut off keeps a look at another job from its turn no longer.
const ANSWER: Duration = Duration::from_secs(5);

/// The least between two writes of how the parties of a job stand, and what each running job adds to it: four writes a second in all.
const TOLD: Duration = Duration::from_secs(2);
const TOLD_EACH: Duration = Duration::from_millis(250);
/// The most.
const TOLD_LONGEST: Duration = Duration::from_secs(30);

/// The line of a log that tells it.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line {
    Progress { phase: Step, done: u64, total: u64 },
}

/// When something was last done for each running job, by its uid.
#[derive(Default)]
pub struct Last(Mutex<HashMap<String, Instant>>);

impl Last {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is done now.
    pub(super) fn note(&self, uid: &str) {
        self.lock().insert(uid.to_owned(), Instant::now());
    }

    /// Whether it is time, which is then noted as done; else how long it is too early.
    pub(super) fn is_time(&self, uid: &str, pause: Duration) -> Result<(), Duration> {
        let mut asked = self.lock();
        let left = asked.get(uid).map_or(Duration::ZERO, |when| pause.saturating_sub(when.elapsed()));
        if !left.is_zero() {
            return Err(left);
        }
        asked.insert(uid.to_owned(), Instant::now());
        Ok(())
    }

    /// The job is over.
    pub(super) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }
}

/// How long to wait between two writes of how the parties of a job stand, while so many run.
fn told_pause(running: usize) -> Duration {
    TOLD_EACH.saturating_mul(u32::try_from(running).unwrap_or(u32::MAX)).clamp(TOLD, TOLD_LONGEST)
}

/// How long to wait between two questions to parties of this age: half of it.
fn pause(age: Duration) -> Duration {
    (age / 2).clamp(FIRST, LONGEST)
}

impl Attempt<'_> {
    /// Writes how the parties stand, where that is new and it is time; else how long it is too early.
    pub(super) async fn tell(&self, draft: Draft<'_>) -> Result<Option<Duration>, Error> {
        if !draft.is_new() {
            return Ok(None);
        }
        let told = &self.ctx.told;
        let pause = told_pause(told.lock().len());
        if let Err(left) = told.is_time(self.seats[0].uid, pause) {
            return Ok(Some(left));
        }
        draft.write().await.map(|_| None)
    }

    /// Asks the running parties, where it is time. How soon it will be again.
    pub(super) async fn ask(&mut self) -> Duration {
        let begun = self.sights.iter().filter_map(|sight| sight.released).min();
        let age = Duration::from_secs(begun.map_or(0, clock::since));
        if age < FIRST {
            return FIRST - age;
        }
        let pause = pause(age);
        if let Err(left) = self.ctx.asked.is_time(self.seats[0].uid, pause) {
            return left;
        }
        let words = join_all(self.seats.iter().zip(&self.sights).map(|(seat, sight)| async {
            let pod = sight.pod.as_deref().filter(|_| sight.phase == PartyPhase::Running)?;
            Some(self.word(seat, pod).await)
        }))
        .await;
        for (sight, word) in self.sights.iter_mut().zip(words) {
            sight.progress = word.unwrap_or(sight.progress);
        }
        pause
    }

    /// The last word of a party; nothing where there is none. The next question may find one.
    async fn word(&self, seat: &Seat<'_>, pod: &str) -> Option<Progress> {
        let params = LogParams {
            container: Some(CONTAINER.into()),
            tail_lines: Some(8),
            limit_bytes: Some(1 << 16),
            ..LogParams::default()
        };
        let log = timeout(ANSWER, self.ctx.api::<Pod>(seat.namespace).logs(pod, &params)).await;
        match log {
            Ok(Ok(log)) => return last(&log),
            Ok(Err(error)) => tracing::debug!(party = seat.party, %error, "no word of progress"),
            Err(_) => tracing::debug!(party = seat.party, "no word of progress in time"),
        }
        None
    }
}

/// The last word of progress in a log.
fn last(log: &str) -> Option<Progress> {
    log.lines().rev().find_map(|line| {
        let Line::Progress { phase, done, total } = serde_json::from_str(line).ok()?;
        let percent = done.saturating_mul(100).checked_div(total).map(|percent| percent.min(100) as u8);
        Some(Progress { step: phase, percent })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_run_the_less_is_told_of_each() {
        let seconds = [0, 1, 8, 40, 5000].map(|running| told_pause(running).as_secs());
        assert_eq!(seconds, [2, 2, 2, 10, 30]);
        let told = Last::default();
        told.note("a");
        assert!(told.is_time("a", TOLD).is_err());
        assert_eq!(told.is_time("b", TOLD), Ok(()), "nothing was told of it yet");
    }

    #[test]
    fn who_runs_long_is_asked_seldom() {
        assert_eq!([5, 30, 3600].map(|age| pause(Duration::from_secs(age)).as_secs()), [10, 15, 120]);
        let asked = Last::default();
        assert_eq!(asked.is_time("a", LONGEST), Ok(()));
        assert!(asked.is_time("a", LONGEST).is_err_and(|left| left <= LONGEST));
        assert_eq!((asked.is_time("b", LONGEST), asked.is_time("a", Duration::ZERO)), (Ok(()), Ok(())));
        asked.forget("a");
        assert_eq!(asked.is_time("a", LONGEST), Ok(()));
    }

    #[test]
    fn the_last_word_counts() {
        let line = |phase: &str, done: u64, total: u64| {
            format!("{{\"event\":\"progress\",\"phase\":\"{phase}\",\"done\":{done},\"total\":{total}}}\n")
        };
        let log =
            line("agree", 1, 1) + &line("rows", 1, 3) + "{\"event\":\"notice\",\"message\":\"m\"}\nno JSON\n";
        assert_eq!(last(&log), Some(Progress { step: Step::Rows, percent: Some(33) }));
        assert_eq!(last(&line("share", 5, 0)), Some(Progress { step: Step::Share, percent: None }));
        assert_eq!(last(&line("seal", 9, 3)), Some(Progress { step: Step::Seal, percent: Some(100) }));
        assert_eq!(last(&line("dance", 1, 2)), None);
        assert_eq!(
            last(&line("rows", u64::MAX, u64::MAX)),
            Some(Progress { step: Step::Rows, percent: Some(1) })
        );
    }
}
