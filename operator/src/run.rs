//! The loops of the operator, for as long as it leads.

use crate::{
    budget,
    cache::{self, Queues},
    context::Context,
    error::Error,
    identity::OperatorSeed,
    job::{
        self,
        build::{IdentitySource, PodSettings},
    },
    metrics::Metrics,
    signer,
};
use futures::{Stream, StreamExt, stream};
use kube::{
    Client, Resource, ResourceExt,
    runtime::{
        controller::{Action, Config, Error as LoopError, applier},
        events::{Recorder, Reporter},
        reflector::{ObjectRef, Store},
    },
};
use std::{
    convert::Infallible,
    fmt::Debug,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Objects of a kind that are looked at together.
const CONCURRENCY: u16 = 16;
/// The pause after a conflict.
const CONFLICT: Duration = Duration::from_millis(200);

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
    let (requests, requests_to_see) = unbounded_channel();
    let signs = pods.identity == IdentitySource::Node;
    let (cache, refresh) = cache::start(&client, namespaces, Queues { jobs, budgets, requests }, signs);
    let reporter = Reporter { controller: "veilgrid-operator".into(), instance: None };
    let ctx = Arc::new(Context {
        recorder: Recorder::new(client.clone(), reporter),
        client,
        cache: Arc::clone(&cache),
        seed,
        pods,
        backoff: Default::default(),
        metrics,
        prepared: Default::default(),
    });
    let work = async {
        // What is not in the caches yet looks as if it were gone.
        cache.ready().await;
        started();
        let jobs = reconcile_all("PrivateJob", cache.jobs.clone(), jobs_to_see, &ctx, job::reconcile);
        let budgets =
            reconcile_all("PrivacyBudget", cache.budgets.clone(), budgets_to_see, &ctx, budget::reconcile);
        let requests = cache.requests.clone();
        let requests =
            reconcile_all("PodCertificateRequest", requests, requests_to_see, &ctx, signer::reconcile);
        tokio::join!(jobs, budgets, requests);
    };
    tokio::select! {
        () = refresh => {}
        () = work => {}
    }
}

/// Looks at every object that is named, one look at a time for each object.
async fn reconcile_all<K, Look, Looking>(
    kind: &'static str,
    store: Store<K>,
    names: UnboundedReceiver<ObjectRef<K>>,
    ctx: &Arc<Context>,
    look: Look,
) where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
    Look: Fn(Arc<K>, Arc<Context>) -> Looking + Copy,
    Looking: Future<Output = Result<Action, Error>> + Send + 'static,
{
    let timed = move |object: Arc<K>, ctx: Arc<Context>| {
        let name = title(kind, &*object);
        let looking = look(object, Arc::clone(&ctx));
        Box::pin(async move {
            let start = Instant::now();
            let looked = looking.await;
            ctx.metrics.reconciled(kind, start.elapsed());
            if looked.is_ok() {
                ctx.backoff.succeeded(&name);
            }
            looked
        })
    };
    let failed = move |object: Arc<K>, error: &Error, ctx: Arc<Context>| {
        let name = title(kind, &*object);
        if error.word() == "conflict" {
            // Seen before its own last change came back, which is on its way.
            return Action::requeue(CONFLICT);
        }
        let pause = ctx.backoff.failed(&name);
        ctx.metrics.failed(kind, error.word());
        tracing::warn!(object = name, %error, pause_ms = pause.as_millis() as u64, "a look failed");
        Action::requeue(pause)
    };
    let config = Config::default().concurrency(CONCURRENCY).debounce(Duration::from_millis(20));
    applier(timed, failed, Arc::clone(ctx), store, named(names), config)
        .for_each(|looked| async move {
            // An object that is gone has nothing to look at; other errors went to the policy above.
            if let Err(LoopError::QueueError(never)) = looked {
                match never {}
            }
        })
        .await;
}

fn named<K>(names: UnboundedReceiver<ObjectRef<K>>) -> impl Stream<Item = Result<ObjectRef<K>, Infallible>>
where
    K: Resource<DynamicType = ()> + Send + 'static,
{
    stream::unfold(names, |mut names| async { Some((Ok(names.recv().await?), names)) }).boxed()
}

fn title(kind: &str, object: &impl ResourceExt) -> String {
    format!("{kind} {}/{}", object.namespace().unwrap_or_default(), object.name_any())
}
