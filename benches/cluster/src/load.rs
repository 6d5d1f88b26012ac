//! What the API server is asked to do: by a bare client, and by those who submit jobs.

use crate::objects;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    error::Error,
    fmt::Debug,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use veilgrid_api::{job::PrivateJob, status::Phase};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Requests of a client that are under way together, as many as the operator's looks.
const TOGETHER: usize = 16;

/// Writes a second of a bare client: it creates, changes twice and deletes objects of the size of a party's Job.
pub async fn raw(client: &Client, time: Duration) -> Fallible<f64> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let start = Instant::now();
    let lanes = (0..TOGETHER).map(|lane| {
        let maps = maps.clone();
        async move {
            let mut done = 0;
            let name = format!("raw-{lane}");
            while start.elapsed() < time {
                let map = json!({"metadata": {"name": name}, "data": {"filler": "0".repeat(3000)}});
                maps.create(&PostParams::default(), &serde_json::from_value(map)?).await?;
                for word in ["a", "b"] {
                    let change = Patch::Merge(json!({"data": {"word": word}}));
                    maps.patch(&name, &PatchParams::default(), &change).await?;
                }
                maps.delete(&name, &DeleteParams::default()).await?;
                done += 4;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(done)
        }
    });
    let done: usize = futures::future::try_join_all(lanes).await?.into_iter().sum();
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

/// Makes objects of these names.
pub async fn submit<K>(api: &Api<K>, names: Vec<String>, object: impl Fn(&str) -> Value) -> Fallible<()>
where
    K: Clone + Debug + DeserializeOwned + Serialize,
{
    stream::iter(names)
        .map(|name| {
            let object = serde_json::from_value(object(&name));
            async move {
                api.create(&PostParams::default(), &object?).await?;
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            }
        })
        .buffer_unordered(TOGETHER)
        .try_collect()
        .await
}

/// How far jobs and the peer's groups are, as the API server tells it, and what is said of those that failed.
#[derive(Clone, Default)]
pub struct Followed(Arc<Mutex<HashMap<String, (Phase, String)>>>);

impl Followed {
    /// Follows them until the process ends.
    pub fn start(client: &Client) -> Self {
        let followed = Self::default();
        let jobs: Api<PrivateJob> = Api::namespaced(client.clone(), objects::HOME);
        let jobs = watcher(jobs, watcher::Config::default()).default_backoff().applied_objects();
        let jobs = jobs.filter_map(|seen| async move {
            let job = seen.ok()?;
            let (name, status) = (job.name_any(), job.status.unwrap_or_default());
            let failed = status.phase == Phase::Failed;
            Some((name, (status.phase, if failed { status.message } else { String::new() })))
        });
        tokio::spawn(followed.clone().keep(jobs));
        followed
    }

    /// Follows the peer's groups too. One that is gone had ended.
    pub fn follow_groups(&self, client: &Client) {
        let groups = watcher(objects::groups(client), watcher::Config::default()).default_backoff();
        let groups = groups.filter_map(|seen| async move {
            let (name, phase) = match seen.ok()? {
                Event::Delete(group) => (group.name_any(), Phase::Succeeded),
                Event::Apply(group) | Event::InitApply(group) => {
                    let phase = match group.data["status"]["terminalState"].as_str() {
                        Some("Completed") => Phase::Succeeded,
                        Some(_) => Phase::Failed,
                        None => Phase::Running,
                    };
                    (group.name_any(), phase)
                }
                Event::Init | Event::InitDone => return None,
            };
            Some((name, (phase, String::new())))
        });
        tokio::spawn(self.clone().keep(groups));
    }

    async fn keep(self, seen: impl Stream<Item = (String, (Phase, String))>) {
        let mut seen = std::pin::pin!(seen);
        while let Some((name, phase)) = seen.next().await {
            if let Ok(mut phases) = self.0.lock() {
                phases.insert(name, phase);
            }
        }
    }

    /// Waits until so many of this prefix have a phase.
    pub async fn comes(&self, prefix: &str, phase: Phase, count: usize) -> Fallible<()> {
        let (mut best, mut moved) = (0, Instant::now());
        loop {
            let have = {
                let phases = self.0.lock().map_err(|_| "a thread died")?;
                let ours = || phases.iter().filter(|(name, _)| name.starts_with(prefix));
                if let Some((name, (_, why))) = ours().find(|(_, (phase, _))| *phase == Phase::Failed) {
                    return Err(format!("{name} failed: {why}").into());
                }
                ours().filter(|(_, (seen, _))| *seen == phase).count()
            };
            if have >= count {
                return Ok(());
            }
            if have > best {
                (best, moved) = (have, Instant::now());
            }
            if moved.elapsed() > Duration::from_secs(180) {
                return Err(format!("{have} of {count} jobs are {phase:?}, and no more for 180 s").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
