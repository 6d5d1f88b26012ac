//! Figures for Prometheus. Labels come from closed lists.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::time::Duration;

/// What is reconciled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    /// `PrivateJob`, `PrivacyBudget` or `PodCertificateRequest`.
    pub kind: &'static str,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Failure {
    /// `PrivateJob`, `PrivacyBudget` or `PodCertificateRequest`.
    pub kind: &'static str,
    /// A word of [`Error::word`](crate::error::Error::word).
    pub error: &'static str,
}

/// A write.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Write {
    /// `create`, `patch`, `replace` or `delete`.
    pub verb: &'static str,
    /// The plural of the kind, as in the request's path; `other` for what the operator never writes.
    pub resource: &'static str,
}

/// The operator's figures.
pub struct Metrics {
    registry: Registry,
    seconds: Family<Kind, Histogram>,
    failures: Family<Failure, Counter>,
    writes: Family<Write, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("veilgrid_operator");
        let seconds: Family<Kind, Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 14)));
        let failures = Family::default();
        registry.register("reconcile_seconds", "How long one look at an object took", seconds.clone());
        registry.register("reconcile_failures", "Looks that ended with an error", failures.clone());
        let writes = Family::default();
        registry.register("api_writes", "Writes to the API server, refused ones included", writes.clone());
        Self { registry, seconds, failures, writes }
    }
}

impl Metrics {
    /// One look at an object is over.
    pub fn reconciled(&self, kind: &'static str, took: Duration) {
        self.seconds.get_or_create(&Kind { kind }).observe(took.as_secs_f64());
    }

    /// One look at an object failed.
    pub fn failed(&self, kind: &'static str, error: &'static str) {
        self.failures.get_or_create(&Failure { kind, error }).inc();
    }

    /// Another write.
    pub fn wrote(&self, write: &Write) {
        self.writes.get_or_create(write).inc();
    }

    /// All of them, in the text form of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
