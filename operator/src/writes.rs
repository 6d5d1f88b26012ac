//! Sees every request to the API server: times it, counts the writes, and dies beside one where a crash test asks for that.

use crate::metrics::{Metrics, Write};
use http::{Method, Request, Response};
use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::task_local;
use tower::{Layer, Service};

/// Names a write at which the process is to die: `before:7`, `after:7`. Read from `VEILGRID_FAULT`, for crash tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Before the write of this number, from 1, leaves.
    Before(u64),
    /// When its answer is there, and before anything is done with it.
    After(u64),
}

impl Fault {
    /// The fault that the environment asks for.
    ///
    /// # Errors
    /// A text that is not a fault.
    pub fn from_env() -> Result<Option<Self>, String> {
        let Ok(text) = std::env::var("VEILGRID_FAULT") else { return Ok(None) };
        let wrong = || format!("VEILGRID_FAULT is {text:?}; write before:N or after:N, or unset it");
        let (when, number) = text.split_once(':').ok_or_else(wrong)?;
        let number = number.parse().map_err(|_| wrong())?;
        match when {
            "before" => Ok(Some(Self::Before(number))),
            "after" => Ok(Some(Self::After(number))),
            _ => Err(wrong()),
        }
    }
}

task_local! {
    static TALLY: Cell<Tally>;
}

/// What a piece of work asked of the API server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Writes.
    pub writes: u64,
    /// How long an answer, or several at once, was waited for.
    pub waited: Duration,
    /// Requests that have no answer yet, and since when there are any.
    open: u32,
    since: Option<Instant>,
}

/// Does something and tallies its requests. What it spawns is not counted.
pub async fn tallied<T>(work: impl Future<Output = T>) -> (T, Tally) {
    let tallying = async {
        let done = work.await;
        (done, TALLY.get().get())
    };
    TALLY.scope(Cell::default(), tallying).await
}

/// A request that has no answer yet, in the tally of who asked.
struct Open;

impl Open {
    fn new(is_write: bool) -> Self {
        change(|tally| {
            tally.writes += u64::from(is_write);
            tally.open += 1;
            tally.since.get_or_insert_with(Instant::now);
        });
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        change(|tally| {
            tally.open = tally.open.saturating_sub(1);
            if tally.open == 0 {
                tally.waited += tally.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            }
        });
    }
}

/// Something is to be written for who asks here, by another.
pub(crate) fn asked_for() {
    change(|tally| tally.writes += 1);
}

fn change(change: impl FnOnce(&mut Tally)) {
    // Who asks outside of a look has no tally.
    let _ = TALLY.try_with(|cell| {
        let mut tally = cell.get();
        change(&mut tally);
        cell.set(tally);
    });
}

/// Puts [`Writes`] under a client.
#[derive(Clone)]
pub struct WritesLayer(Arc<Seen>);

struct Seen {
    metrics: Arc<Metrics>,
    fault: Option<Fault>,
    count: AtomicU64,
}

impl Seen {
    fn die_at(&self, fault: Option<Fault>) {
        if fault.is_some() && fault == self.fault {
            std::process::abort();
        }
    }
}

impl WritesLayer {
    /// Counts into `metrics`.
    pub fn new(metrics: Arc<Metrics>, fault: Option<Fault>) -> Self {
        Self(Arc::new(Seen { metrics, fault, count: AtomicU64::new(0) }))
    }
}

impl<S> Layer<S> for WritesLayer {
    type Service = Writes<S>;

    fn layer(&self, inner: S) -> Writes<S> {
        Writes { inner, seen: Arc::clone(&self.0) }
    }
}

/// A service that sees each write.
#[derive(Clone)]
pub struct Writes<S> {
    inner: S,
    seen: Arc<Seen>,
}

impl<S, B, C> Service<Request<B>> for Writes<S>
where
    S: Service<Request<B>, Response = Response<C>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let write = write(request.method(), request.uri().path());
        // A watch has no end that anybody waits for, and a lease is renewed beside all looks.
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch="));
        let verb = match &write {
            Some(write) => write.verb,
            None if *request.method() == Method::GET && !is_watch => "read",
            None => return Box::pin(self.inner.call(request)),
        };
        let number = write.map(|write| {
            self.seen.metrics.wrote(&write);
            self.seen.count.fetch_add(1, Ordering::Relaxed) + 1
        });
        let seen = Arc::clone(&self.seen);
        seen.die_at(number.map(Fault::Before));
        let answer = self.inner.call(request);
        Box::pin(async move {
            // Polled by who asked, and so within its tally.
            let (open, start) = (Open::new(number.is_some()), Instant::now());
            let answer = answer.await;
            drop(open);
            seen.metrics.answered(verb, start.elapsed());
            seen.die_at(number.map(Fault::After));
            answer
        })
    }
}

/// What the operator writes, as in a request's path.
const RESOURCES: [&str; 15] = [
    "privatejobs",
    "privacybudgets",
    "privacyclaims",
    "jobs",
    "pods",
    "secrets",
    "services",
    "serviceaccounts",
    "networkpolicies",
    "configmaps",
    "events",
    "podcertificaterequests",
    "resourceclaimtemplates",
    "podgroups",
    "leases",
];

/// The write that a request is, if it is one.
fn write(method: &Method, path: &str) -> Option<Write> {
    let verb = match *method {
        Method::POST => "create",
        Method::PATCH => "patch",
        Method::PUT => "replace",
        Method::DELETE => "delete",
        _ => return None,
    };
    // The operator's resources are all namespaced: .../namespaces/NAMESPACE/RESOURCE...
    let mut parts = path.split('/').skip_while(|part| *part != "namespaces").skip(2);
    let named = parts.next().unwrap_or_default();
    let resource = RESOURCES.into_iter().find(|resource| *resource == named).unwrap_or("other");
    // Renewing the lease is no part of any job.
    (resource != "leases").then_some(Write { verb, resource })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_told_from_reads_and_named_by_their_resource() {
        let named =
            |method: Method, path: &str| write(&method, path).map(|write| (write.verb, write.resource));
        assert_eq!(named(Method::GET, "/api/v1/namespaces/a/secrets/b"), None);
        assert_eq!(named(Method::PATCH, "/api/v1/namespaces/a/secrets/b"), Some(("patch", "secrets")));
        let status = "/apis/veilgrid.dev/v1alpha1/namespaces/a/privacybudgets/b/status";
        assert_eq!(named(Method::PUT, status), Some(("replace", "privacybudgets")));
        assert_eq!(named(Method::PUT, "/apis/coordination.k8s.io/v1/namespaces/a/leases/b"), None);
        assert_eq!(named(Method::DELETE, "/strange"), Some(("delete", "other")));
    }

    #[tokio::test]
    async fn requests_that_are_under_way_together_are_waited_for_once() {
        const LONG: Duration = Duration::from_millis(20);
        let work = async {
            let (one, two) = (Open::new(true), Open::new(false));
            tokio::time::sleep(LONG).await;
            drop(one);
            change(|tally| assert_eq!((tally.open, tally.waited), (1, Duration::ZERO)));
            drop(two);
            asked_for();
        };
        let start = Instant::now();
        let ((), tally) = tallied(work).await;
        assert_eq!((tally.writes, tally.open, tally.since), (2, 0, None));
        assert!(tally.waited >= LONG && tally.waited <= start.elapsed(), "{tally:?}");
    }
}
