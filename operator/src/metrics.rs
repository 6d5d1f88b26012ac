//! Figures for Prometheus. Labels come from closed lists.

use crate::{
    census::{Census, FULLNESS, PHASES},
    lives::Lives,
};
use kube::Resource;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};
use veilgrid_api::job::PrivateJob;

/// What is reconciled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    /// `PrivateJob`, `PrivacyBudget`, `PrivateDataset` or `PodCertificateRequest`.
    pub kind: &'static str,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Failure {
    /// `PrivateJob`, `PrivacyBudget`, `PrivateDataset` or `PodCertificateRequest`.
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

/// What is asked of the API server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Request {
    /// `read`, or a verb of [`Write`].
    pub verb: &'static str,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct InPhase {
    /// A name of [`PHASES`].
    pub phase: &'static str,
}

/// How full a budget is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Full {
    /// A word of `FULLNESS`.
    pub fullness: &'static str,
}

/// What became of an amount.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Amount {
    /// A word of `AMOUNTS`.
    pub amount: &'static str,
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Watched {
    /// The plural of the kind, as in the request's path.
    pub resource: &'static str,
}

/// What went wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Trouble {
    /// `timeout`, `silence`, `connection`, `conflict`, `gone`, `too_many_requests` or `server`.
    pub trouble: &'static str,
}

/// A kind that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Of {
    /// Its name.
    pub kind: String,
}

impl Of {
    fn kind<K: Resource<DynamicType = ()>>() -> Self {
        Self { kind: K::kind(&()).into_owned() }
    }
}

/// The parts of [`Census::epsilon`].
const AMOUNTS: [&str; 3] = ["total", "reserved", "spent"];
/// Upper bounds of the seconds that a look took.
const SECONDS: [f64; 18] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 2.0, 5.0, 10.0];
/// Upper bounds of the writes that a job took.
const WRITES: [f64; 12] = [8.0, 12.0, 16.0, 20.0, 24.0, 26.0, 30.0, 40.0, 60.0, 100.0, 200.0, 500.0];

/// Counts what there is.
type Count = Box<dyn Fn() -> Census + Send + Sync>;

/// The operator's figures.
pub struct Metrics {
    registry: Registry,
    seconds: Family<Kind, Histogram>,
    waited: Family<Kind, Histogram>,
    answers: Family<Request, Histogram>,
    failures: Family<Failure, Counter>,
    writes: Family<Write, Counter>,
    troubles: Family<Trouble, Counter>,
    malformed: Family<Of, Counter>,
    unwatched: Family<Of, Counter>,
    leads: Gauge,
    depth: Family<Kind, Gauge>,
    jobs: Family<InPhase, Gauge>,
    phases: Family<InPhase, Histogram>,
    job_writes: Histogram,
    budgets: Family<Full, Gauge>,
    epsilon: Family<Amount, Gauge<f64, AtomicU64>>,
    claims: Gauge,
    claims_seconds: Gauge,
    silence: Family<Watched, Gauge>,
    lives: Lives,
    count: Mutex<Option<Count>>,
    heard: Mutex<HashMap<&'static str, Instant>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("veilgrid_operator");
        let seconds = || Histogram::new(SECONDS);
        let phases: Family<InPhase, Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.1, 3.0, 12)));
        let metrics = Self {
            seconds: Family::new_with_constructor(seconds),
            waited: Family::new_with_constructor(seconds),
            answers: Family::new_with_constructor(seconds),
            phases,
            job_writes: Histogram::new(WRITES),
            registry: Registry::default(),
            failures: Family::default(),
            writes: Family::default(),
            troubles: Family::default(),
            malformed: Family::default(),
            unwatched: Family::default(),
            leads: Gauge::default(),
            depth: Family::default(),
            jobs: Family::default(),
            budgets: Family::default(),
            epsilon: Family::default(),
            claims: Gauge::default(),
            claims_seconds: Gauge::default(),
            silence: Family::default(),
            lives: Lives::default(),
            count: Mutex::default(),
            heard: Mutex::default(),
        };
        registry.register(
            "reconcile_seconds",
            "How long one look at an object took",
            metrics.seconds.clone(),
        );
        registry.register(
            "reconcile_waited_seconds",
            "How much of it passed until the API server had answered",
            metrics.waited.clone(),
        );
        registry.register(
            "api_seconds",
            "How long the API server took to answer a request, watches left out",
            metrics.answers.clone(),
        );
        registry.register("reconcile_failures", "Looks that ended with an error", metrics.failures.clone());
        registry.register(
            "api_writes",
            "Writes to the API server, refused ones included",
            metrics.writes.clone(),
        );
        registry.register("api_troubles", "Requests that went wrong", metrics.troubles.clone());
        registry.register("malformed_objects", "Objects that are not understood", metrics.malformed.clone());
        registry.register("watch_failures", "Watches that failed and began again", metrics.unwatched.clone());
        registry.register("leads", "Whether this replica is the one that works", metrics.leads.clone());
        registry.register("queue_depth", "Objects that wait to be looked at", metrics.depth.clone());
        registry.register("jobs", "Jobs, by phase", metrics.jobs.clone());
        registry.register("phase_seconds", "How long jobs were in a phase", metrics.phases.clone());
        registry.register("job_writes", "Writes that an ended job took", metrics.job_writes.clone());
        registry.register(
            "budgets",
            "Budgets, by how much of them is spent or held",
            metrics.budgets.clone(),
        );
        registry.register("budget_epsilon", "Epsilon of all budgets together", metrics.epsilon.clone());
        registry.register("claims_awaiting", "Claims that wait for their owners", metrics.claims.clone());
        registry.register(
            "claims_awaiting_seconds",
            "How long the oldest claim waits for its owner",
            metrics.claims_seconds.clone(),
        );
        registry.register(
            "watch_silence_seconds",
            "How long ago a watch of the kind last began or said something",
            metrics.silence.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// One look at an object is over; for some of the time it `waited` for the API server.
    pub fn reconciled(&self, kind: &'static str, took: Duration, waited: Duration) {
        self.seconds.get_or_create(&Kind { kind }).observe(took.as_secs_f64());
        self.waited.get_or_create(&Kind { kind }).observe(waited.as_secs_f64());
    }

    /// A request was answered, or came to nothing.
    pub fn answered(&self, verb: &'static str, took: Duration) {
        self.answers.get_or_create(&Request { verb }).observe(took.as_secs_f64());
    }

    /// One look at an object failed.
    pub fn failed(&self, kind: &'static str, error: &'static str) {
        self.failures.get_or_create(&Failure { kind, error }).inc();
    }

    /// Another write.
    pub fn wrote(&self, write: &Write) {
        self.writes.get_or_create(write).inc();
    }

    /// A request went wrong.
    pub fn trouble(&self, trouble: &'static str) {
        self.troubles.get_or_create(&Trouble { trouble }).inc();
    }

    /// An object of a kind is not understood.
    pub fn malformed<K: Resource<DynamicType = ()>>(&self) {
        self.malformed.get_or_create(&Of::kind::<K>()).inc();
    }

    /// A watch of a kind failed.
    pub fn unwatched<K: Resource<DynamicType = ()>>(&self) {
        self.unwatched.get_or_create(&Of::kind::<K>()).inc();
    }

    /// Whether this replica is the one that works.
    pub fn leads(&self, leads: bool) {
        self.leads.set(i64::from(leads));
    }

    /// So many objects of a kind wait to be looked at.
    pub fn waiting(&self, kind: &'static str, objects: usize) {
        self.depth.get_or_create(&Kind { kind }).set(i64::try_from(objects).unwrap_or(i64::MAX));
    }

    /// A look at a job is over that saw it as it is given here, and wrote so often.
    pub fn looked(&self, job: &PrivateJob, writes: u64) {
        let seen = self.lives.looked(job, writes);
        if let Some((phase, took)) = seen.phase {
            let phase = PHASES[phase as usize].1;
            self.phases.get_or_create(&InPhase { phase }).observe(took.as_secs_f64());
        }
        if let Some(writes) = seen.writes {
            self.job_writes.observe(writes as f64);
        }
    }

    /// An object is gone.
    pub fn forget(&self, kind: &'static str, namespace: &str, name: &str) {
        if kind == "PrivateJob" {
            self.lives.forget(namespace, name);
        }
    }

    /// A watch of a kind began, or said something.
    pub fn heard(&self, resource: &'static str) {
        lock(&self.heard).insert(resource, Instant::now());
    }

    /// From now on, this counts what there is.
    pub fn count_by(&self, count: impl Fn() -> Census + Send + Sync + 'static) {
        *lock(&self.count) = Some(Box::new(count));
    }

    /// All of them, in the text form of OpenMetrics.
    pub fn text(&self) -> String {
        self.count();
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn count(&self) {
        for (resource, when) in lock(&self.heard).iter() {
            let seconds = i64::try_from(when.elapsed().as_secs()).unwrap_or(i64::MAX);
            self.silence.get_or_create(&Watched { resource }).set(seconds);
        }
        let census = match &*lock(&self.count) {
            Some(count) => count(),
            None => return,
        };
        for ((_, phase), jobs) in PHASES.into_iter().zip(census.jobs) {
            self.jobs.get_or_create(&InPhase { phase }).set(jobs.into());
        }
        for (fullness, budgets) in FULLNESS.into_iter().zip(census.budgets) {
            self.budgets.get_or_create(&Full { fullness }).set(budgets.into());
        }
        for (amount, epsilon) in AMOUNTS.into_iter().zip(census.epsilon) {
            self.epsilon.get_or_create(&Amount { amount }).set(epsilon);
        }
        self.claims.set(census.claims_awaiting.into());
        self.claims_seconds.set(i64::try_from(census.longest_wait).unwrap_or(i64::MAX));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
