//! The loops of the operator, for as long as it leads.

use crate::{
    budget,
    cache::{self, Queues},
    census::Census,
    context::Context,
    error::Error,
    events::events,
    identity::OperatorSeed,
    job::{
        self, Launches,
        build::{IdentitySource, PodSettings},
    },
    keeper, look,
    malformed::Malformed,
    metrics::Metrics,
    signer,
};
use futures::{Stream, StreamExt, stream};
use kube::{
    Client, Resource, ResourceExt,
    runtime::{
        controller::{Action, Config, Error as LoopError, applier},
        reflector::{ObjectRef, Store},
    },
};
use std::{
    collections::HashSet,
    convert::Infallible,
    fmt::Debug,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use veilgrid_api::job::PrivateJob;

/// Objects of a kind that are looked at together.
const CONCURRENCY: u16 = 8;
/// Changes of a job that come this soon after each other are one.
const DEBOUNCE: Duration = Duration::from_millis(20);

/// Reconciles what is in the namespaces that are named, or in all, until it is dropped or the watches end.
pub async fn run(
    client: Client,
    namespaces: &[String],
    metrics: Arc<Metrics>,
    seed: OperatorSeed,
    pods: PodSettings,
    started: impl FnOnce(),
) {
    let (jobs, jobs_to_see) = unbounded_channel();
    let (budgets, budgets_to_see) = unbounded_channel();
    let (datasets, datasets_to_see) = unbounded_channel();
    let (requests, requests_to_see) = unbounded_channel();
    let signs = pods.identity == IdentitySource::Node;
    let (events, publisher) = events(client.clone());
    let malformed = Malformed::new(events.clone(), Arc::clone(&metrics));
    let launches = Launches::new(jobs.clone());
    let queues = Queues { jobs, budgets, datasets: datasets.clone(), requests };
    let (cache, refresh) = cache::start(&client, namespaces, queues, signs, &malformed);
    let ctx = Arc::new(Context {
        events,
        client,
        cache: Arc::clone(&cache),
        seed,
        pods,
        datasets,
        asked: Default::default(),
        told: Default::default(),
        refused: Default::default(),
        launches,
        stages: Default::default(),
        room: Default::default(),
        paces: Default::default(),
        backoff: Default::default(),
        metrics,
    });
    let counted = Arc::clone(&cache);
    ctx.metrics.count_by(move || Census::of(&counted));
    let work = async {
        // What is not in the caches yet looks as if it were gone.
        cache.ready().await;
        started();
        let jobs = Kind {
            name: "PrivateJob",
            store: cache.jobs.store().clone(),
            debounce: DEBOUNCE,
            early: job::behind,
            look: job::reconcile,
            looked: |job: &PrivateJob, ctx: &Context, writes| ctx.metrics.looked(job, writes),
        };
        // Budgets have a pace of their own.
        let budgets = Kind {
            name: "PrivacyBudget",
            store: cache.budgets.store().clone(),
            debounce: Duration::ZERO,
            early: budget::early,
            look: budget::reconcile,
            looked: |_, _, _| {},
        };
        let datasets = Kind {
            name: "PrivateDataset",
            store: cache.datasets.store().clone(),
            debounce: DEBOUNCE,
            early: keeper::behind,
            look: keeper::reconcile,
            looked: |_, _, _| {},
        };
        let requests = Kind {
            name: "PodCertificateRequest",
            store: cache.requests.store().clone(),
            debounce: DEBOUNCE,
            early: |_: &_, _: &_| None,
            look: signer::reconcile,
            looked: |_, _, _| {},
        };
        tokio::join!(
            reconcile_all(jobs, jobs_to_see, &ctx),
            reconcile_all(budgets, budgets_to_see, &ctx),
            reconcile_all(datasets, datasets_to_see, &ctx),
            reconcile_all(requests, requests_to_see, &ctx)
        );
    };
    tokio::select! {
        () = refresh => {}
        () = work => {}
        () = publisher.publish() => {}
    }
}

/// How the objects of a kind are looked at.
struct Kind<K: Resource<DynamicType = ()> + 'static, Early, Look> {
    name: &'static str,
    store: Store<K>,
    /// Changes that come this soon after each other are one.
    debounce: Duration,
    /// How long it is too early for a look.
    early: Early,
    look: Look,
    /// Is told what a look saw, and how often it wrote.
    looked: fn(&K, &Context, u64),
}

/// Looks at every object that is named, one look at a time for each object.
async fn reconcile_all<K, Early, Look, Looking>(
    kind: Kind<K, Early, Look>,
    names: UnboundedReceiver<ObjectRef<K>>,
    ctx: &Arc<Context>,
) where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
    Early: Fn(&K, &Context) -> Option<Duration> + Copy + Send + 'static,
    Look: Fn(Arc<K>, Arc<Context>) -> Looking + Copy,
    Looking: Future<Output = Result<Action, Error>> + Send + 'static,
{
    let Kind { name: kind, store, debounce, early, look, looked } = kind;
    let waiting = Arc::new(Waiting { kind, metrics: Arc::clone(&ctx.metrics), names: Mutex::default() });
    let begun = Arc::clone(&waiting);
    let watched = move |object: Arc<K>, ctx: Arc<Context>| {
        let wait = early(&object, &ctx);
        let name = name(&object.namespace().unwrap_or_default(), &object.name_any());
        let looking = wait.is_none().then(|| {
            begun.change(|names| names.remove(&name));
            look(Arc::clone(&object), Arc::clone(&ctx))
        });
        Box::pin(async move {
            let Some(looking) = looking else {
                return Ok(wait.map_or_else(Action::await_change, Action::requeue));
            };
            let (next, writes) = look::look(kind, &name, &ctx, looking).await;
            looked(&object, &ctx, writes);
            Ok(next)
        })
    };
    let never = |_: Arc<K>, never: &Infallible, _: Arc<Context>| match *never {};
    let config = Config::default().concurrency(CONCURRENCY).debounce(debounce);
    applier(watched, never, Arc::clone(ctx), store, named(names, Arc::clone(&waiting)), config)
        .for_each(|looked| {
            // An object that is gone has nothing to look at.
            if let Err(LoopError::ObjectNotFound(gone)) = looked {
                let namespace = gone.namespace.unwrap_or_default();
                let object = name(&namespace, &gone.name);
                waiting.change(|names| names.remove(&object));
                ctx.backoff.succeeded(&look::title(kind, &object));
                ctx.metrics.forget(kind, &namespace, &gone.name);
            }
            async {}
        })
        .await;
}

/// The objects of a kind that wait to be looked at.
struct Waiting {
    kind: &'static str,
    metrics: Arc<Metrics>,
    names: Mutex<HashSet<String>>,
}

impl Waiting {
    fn change(&self, change: impl FnOnce(&mut HashSet<String>) -> bool) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if change(&mut names) {
            self.metrics.waiting(self.kind, names.len());
        }
    }
}

fn named<K>(
    names: UnboundedReceiver<ObjectRef<K>>,
    waiting: Arc<Waiting>,
) -> impl Stream<Item = Result<ObjectRef<K>, Infallible>>
where
    K: Resource<DynamicType = ()> + Send + 'static,
{
    let next = move |mut names: UnboundedReceiver<ObjectRef<K>>| {
        let waiting = Arc::clone(&waiting);
        async move {
            let next = names.recv().await?;
            let title = name(next.namespace.as_deref().unwrap_or_default(), &next.name);
            waiting.change(|names| names.insert(title));
            Some((Ok(next), names))
        }
    };
    stream::unfold(names, next).boxed()
}

fn name(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}
