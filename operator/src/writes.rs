//! Sees every write to the API server: counts it, and dies beside it where a crash test asks for that.

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
    static COUNT: Cell<u64>;
}

/// Does something and counts its writes. What it spawns is not counted.
pub async fn counted<T>(work: impl Future<Output = T>) -> (T, u64) {
    let counting = async {
        let done = work.await;
        (done, COUNT.get().get())
    };
    COUNT.scope(Cell::new(0), counting).await
}

/// Puts [`Writes`] under a client.
#[derive(Clone)]
pub struct WritesLayer(Arc<Seen>);

struct Seen {
    metrics: Arc<Metrics>,
    fault: Option<Fault>,
    count: AtomicU64,
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
        let Some(write) = write(request.method(), request.uri().path()) else {
            return Box::pin(self.inner.call(request));
        };
        self.seen.metrics.wrote(&write);
        let number = self.seen.count.fetch_add(1, Ordering::Relaxed) + 1;
        let fault = self.seen.fault;
        if fault == Some(Fault::Before(number)) {
            std::process::abort();
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            // Polled by who asked, and so within its count.
            let _ = COUNT.try_with(|count| count.set(count.get() + 1));
            let answer = answer.await;
            if fault == Some(Fault::After(number)) {
                std::process::abort();
            }
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
}
