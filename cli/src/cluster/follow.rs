//! A job's states, one after the other, for as long as it takes: a cluster that does not answer is waited for.

use super::{Cluster, job::Meant, trouble};
use crate::failure::Failure;
use futures::{Stream, StreamExt};
use kube::runtime::{
    WatchStreamExt,
    watcher::{self, watch_object},
};
use std::pin::Pin;
use veilgrid_api::job::PrivateJob;
use veilgrid_party::exit::Exit;

/// Refusals in a row after which they are believed: an API server that has just started refuses much at first.
const REFUSALS: u32 = 5;

/// What is seen of a job.
pub(crate) enum Seen {
    /// Its present state.
    Job(Box<PrivateJob>),
    /// It is not there, or not any more.
    Gone,
    /// Nothing, for this reason; it is looked for again.
    Nothing(String),
}

/// The states of one job.
pub(crate) struct Follow {
    states: Pin<Box<dyn Stream<Item = watcher::Result<Option<PrivateJob>>> + Send>>,
    doing: String,
    refusals: u32,
}

impl Follow {
    /// Of the job of this name, beginning with the present one.
    pub(crate) fn new(cluster: &Cluster, of: &Meant) -> Self {
        let states = watch_object(cluster.jobs(of), &of.name).default_backoff().boxed();
        Self { states, doing: format!("watch the PrivateJob {}", of.key()), refusals: 0 }
    }

    /// What is seen next.
    ///
    /// # Errors
    /// The user may not watch the job.
    pub(crate) async fn next(&mut self) -> Result<Seen, Failure> {
        match self.states.next().await {
            Some(Ok(state)) => {
                self.refusals = 0;
                Ok(state.map_or(Seen::Gone, |job| Seen::Job(Box::new(job))))
            }
            Some(Err(error)) => self.broken(&error),
            None => Err(Failure::new(Exit::Internal, format!("cannot {}: the watch ended", self.doing))),
        }
    }

    fn broken(&mut self, error: &watcher::Error) -> Result<Seen, Failure> {
        use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
        let words = match error {
            InitialListFailed(inner) | WatchStartFailed(inner) | WatchFailed(inner) => {
                self.refusals = if trouble::is_forbidden(inner) { self.refusals + 1 } else { 0 };
                if self.refusals == REFUSALS {
                    return Err(trouble::failure(inner, &self.doing));
                }
                trouble::root(inner)
            }
            other => trouble::root(other),
        };
        Ok(Seen::Nothing(words))
    }
}
