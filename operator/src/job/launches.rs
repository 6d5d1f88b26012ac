//! How many jobs are launched at once: from their claims until all their pods are there. The others wait their turn, first come, first served.
//!
//! What bounds launches is the API server. Where a thousand jobs begin at once, each waits for all the others at every step, and what they hold,
//! watch and ask for again meanwhile makes the same writes dearer (docs/performance.md).
//!
//! Only this process knows of it, and no promise rests on it: after a restart those that have claims go on, and the others queue anew.

use super::{attempt::Attempt, status::Draft};
use crate::{error::Error, reason::Reason};
use kube::runtime::{controller::Action, reflector::ObjectRef};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::mpsc::UnboundedSender;
use veilgrid_api::{job::PrivateJob, status::Phase};

/// Jobs that are launched at once.
const TOGETHER: usize = 32;
/// How long a launch keeps others from theirs: what takes longer waits for something else than they do.
const LONGEST: Duration = Duration::from_secs(30);
/// How long a job waits its turn before its status says so.
const SILENT: Duration = Duration::from_secs(30);

/// The jobs that are being launched, and those that wait.
pub struct Launches {
    queue: Mutex<Queue>,
    /// Asks for a look at a job.
    jobs: UnboundedSender<ObjectRef<PrivateJob>>,
}

#[derive(Default)]
struct Queue {
    /// Since when each job, by its uid, is being launched.
    begun: HashMap<String, Instant>,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    uid: String,
    job: ObjectRef<PrivateJob>,
    since: Instant,
}

impl Launches {
    /// Asks for looks at jobs whose turn it is.
    pub fn new(jobs: UnboundedSender<ObjectRef<PrivateJob>>) -> Self {
        Self { queue: Mutex::default(), jobs }
    }

    /// Whether it is the job's turn; else how long it has waited.
    fn enter(&self, uid: &str, job: ObjectRef<PrivateJob>, now: Instant) -> Result<(), Duration> {
        let mut queue = self.lock();
        if queue.begun.contains_key(uid) {
            return Ok(());
        }
        if !queue.waiting.iter().any(|waiting| waiting.uid == uid) {
            queue.waiting.push_back(Waiting { uid: uid.to_owned(), job, since: now });
        }
        for next in queue.admit(now) {
            // The one that asks looks already.
            if next.uid != uid {
                drop(self.jobs.send(next.job));
            }
        }
        match queue.waiting.iter().find(|waiting| waiting.uid == uid) {
            Some(waiting) => Err(now.duration_since(waiting.since)),
            None => Ok(()),
        }
    }

    /// The job is launched, is over, or waits for something else than its turn.
    fn leave(&self, uid: &str, now: Instant) {
        let mut queue = self.lock();
        if queue.begun.remove(uid).is_none() {
            queue.waiting.retain(|waiting| waiting.uid != uid);
        }
        for next in queue.admit(now) {
            drop(self.jobs.send(next.job));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Those whose turn has come.
    fn admit(&mut self, now: Instant) -> Vec<Waiting> {
        self.begun.retain(|_, since| now.duration_since(*since) < LONGEST);
        let free = TOGETHER.saturating_sub(self.begun.len()).min(self.waiting.len());
        let next: Vec<Waiting> = self.waiting.drain(..free).collect();
        self.begun.extend(next.iter().map(|next| (next.uid.clone(), now)));
        next
    }
}

impl Attempt<'_> {
    /// Waits until it is the job's turn to claim, which brings the next look; nothing where it is.
    pub(super) async fn await_turn(&self) -> Result<Option<Action>, Error> {
        let job = ObjectRef::from_obj(self.job);
        let waited = match self.ctx.launches.enter(self.seats[0].uid, job, Instant::now()) {
            Ok(()) => return Ok(None),
            Err(waited) => waited,
        };
        if waited < SILENT {
            return Ok(Some(Action::requeue(SILENT - waited)));
        }
        let mut draft = Draft::of(self);
        draft.phase(Phase::Reserving, Reason::Reserving, "waits its turn: earlier jobs are being launched");
        draft.write().await?;
        Ok(Some(Action::requeue(LONGEST)))
    }

    /// It keeps nobody waiting any more.
    pub(super) fn end_turn(&self) {
        self.ctx.launches.leave(self.seats[0].uid, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    fn launches() -> (Launches, UnboundedReceiver<ObjectRef<PrivateJob>>) {
        let (jobs, asked) = unbounded_channel();
        (Launches::new(jobs), asked)
    }

    fn asked(from: &mut UnboundedReceiver<ObjectRef<PrivateJob>>) -> Vec<String> {
        std::iter::from_fn(|| from.try_recv().ok()).map(|job| job.name).collect()
    }

    fn enter(launches: &Launches, number: usize, now: Instant) -> Result<(), Duration> {
        let name = number.to_string();
        launches.enter(&name, ObjectRef::new(&name), now)
    }

    #[test]
    fn who_comes_first_is_launched_first() {
        let ((launches, mut looks), now) = (launches(), Instant::now());
        for number in 0..TOGETHER {
            assert_eq!(enter(&launches, number, now), Ok(()));
        }
        for number in TOGETHER..TOGETHER + 3 {
            assert_eq!(enter(&launches, number, now), Err(Duration::ZERO));
        }
        let later = now + Duration::from_secs(4);
        // It keeps its place, and who is under way its turn.
        assert_eq!(enter(&launches, TOGETHER, later), Err(Duration::from_secs(4)));
        assert_eq!(enter(&launches, 5, later), Ok(()));
        assert_eq!(asked(&mut looks), [] as [&str; 0]);
        launches.leave("5", later);
        assert_eq!(asked(&mut looks), [TOGETHER.to_string()]);
        // The turn is given: one that comes now waits behind those that did before.
        assert_eq!(enter(&launches, 5, later), Err(Duration::ZERO));
        assert_eq!(enter(&launches, TOGETHER, later), Ok(()));
        // Who has gone is passed over.
        launches.leave(&(TOGETHER + 1).to_string(), later);
        launches.leave("0", later);
        assert_eq!(asked(&mut looks), [(TOGETHER + 2).to_string()]);
    }

    #[test]
    fn who_is_stuck_holds_nobody_up_for_long() {
        let ((launches, mut looks), now) = (launches(), Instant::now());
        for number in 0..TOGETHER {
            assert_eq!(enter(&launches, number, now), Ok(()));
        }
        let soon = now + LONGEST - Duration::from_secs(1);
        assert_eq!(enter(&launches, 100, soon), Err(Duration::ZERO));
        assert_eq!(enter(&launches, 101, soon), Err(Duration::ZERO));
        assert_eq!(enter(&launches, 101, now + LONGEST), Ok(()));
        assert_eq!(asked(&mut looks), ["100"]);
    }
}
