//! What the API server allows: a bare client makes, changes and deletes what a job's life does, object by object and kind by kind as the
//! API server had them, and waits for nobody. Nobody else has a part in these: no node, no scheduler and no controller is theirs.

use crate::objects::{self, HOME, OWNERS};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
    core::{ApiResource, GroupVersionKind, TypeMeta},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Lives that are under way together, each with one request at a time.
const TOGETHER: usize = 16;
/// What a party of a job consists of: group, version, kind.
const PARTS: [(&str, &str, &str); 5] = [
    ("veilgrid.dev", "v1alpha1", "PrivacyClaim"),
    ("networking.k8s.io", "v1", "NetworkPolicy"),
    ("", "v1", "Secret"),
    ("batch", "v1", "Job"),
    ("", "v1", "Pod"),
];

/// What one party's objects looked like, by kind, and the status of its job.
pub struct Life {
    parts: BTreeMap<&'static str, Value>,
    status: Value,
}

fn api(client: &Client, (group, version, kind): (&str, &str, &str), namespace: &str) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    Api::namespaced_with(client.clone(), namespace, &kind)
}

/// Keeps the objects of one owner as they come, in their last state, until there is one of each kind.
pub async fn parts(client: &Client) -> Fallible<BTreeMap<&'static str, Value>> {
    let (mut seen, start) = (BTreeMap::new(), Instant::now());
    while seen.len() < PARTS.len() {
        if start.elapsed() > Duration::from_secs(60) {
            return Err(format!("of a job's objects only {:?} came", seen.keys()).into());
        }
        for part in PARTS {
            let found = api(client, part, OWNERS[0]).list(&ListParams::default()).await?.items;
            if let Some(mut found) = found.into_iter().next_back() {
                // A list says it once for all.
                let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(part.0, part.1, part.2));
                found.types = Some(TypeMeta { api_version: kind.api_version, kind: kind.kind });
                seen.insert(part.2, serde_json::to_value(found)?);
            }
        }
    }
    Ok(seen)
}

impl Life {
    /// Of a job that has ended.
    pub async fn of(client: &Client, name: &str, mut parts: BTreeMap<&'static str, Value>) -> Fallible<Self> {
        let job = api(client, ("veilgrid.dev", "v1alpha1", "PrivateJob"), HOME).get(name).await?;
        for part in parts.values_mut() {
            let annotations = part["metadata"]["annotations"].take();
            part["metadata"] = json!({"labels": {"bare": "bare"}, "annotations": annotations});
        }
        let change = |parts: &mut BTreeMap<&str, Value>, kind: &str, path: &str, value: Value| {
            if let Some(place) = parts.get_mut(kind).and_then(|part| part.pointer_mut(path)) {
                *place = value;
            }
        };
        // Nobody's: as these fields say, or because there is no such budget or node.
        change(&mut parts, "PrivacyClaim", "/spec/budget", json!("nobody"));
        change(&mut parts, "Job", "/spec/selector", Value::Null);
        change(&mut parts, "Job", "/spec/template/metadata", json!({"labels": {"bare": "bare"}}));
        change(&mut parts, "Pod", "/spec/nodeName", Value::Null);
        change(&mut parts, "Pod", "/spec/schedulerName", json!("nobody"));
        if let Some(job) = parts.get_mut("Job") {
            job["spec"]["managedBy"] = json!("bench.veilgrid.dev/nobody");
        }
        Ok(Self { parts, status: serde_json::to_value(&job.data["status"])? })
    }

    /// Lives a second, while they are lived for so long.
    pub async fn lived(&self, client: &Client, time: Duration) -> Fallible<f64> {
        let start = Instant::now();
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let lanes = (0..TOGETHER).map(|_| async move {
            let mut lives = 0;
            while start.elapsed() < time {
                let name = format!("bare-{}", NEXT.fetch_add(1, Ordering::Relaxed));
                self.live(client, &name).await?;
                lives += 1;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(lives)
        });
        let lives: u32 = futures::future::try_join_all(lanes).await?.into_iter().sum();
        let rate = f64::from(lives) / start.elapsed().as_secs_f64();
        // What stays after a job's life.
        let ours = ListParams::default().labels("bare=bare");
        for (part, namespace) in [(PARTS[0], OWNERS[0]), (("veilgrid.dev", "v1alpha1", "PrivateJob"), HOME)] {
            api(client, part, namespace).delete_collection(&DeleteParams::default(), &ours).await?;
        }
        Ok(rate)
    }

    /// One life of a job of three parties: as many writes as the table of everybody's writes has, of the same kinds.
    async fn live(&self, client: &Client, name: &str) -> Fallible<()> {
        let (create, patch) = (PostParams::default(), PatchParams::default());
        let apply = PatchParams::apply("bare").force();
        let jobs = api(client, ("veilgrid.dev", "v1alpha1", "PrivateJob"), HOME);
        let mut job = objects::job(name, "patients");
        job["metadata"]["labels"] = json!({"bare": "bare"});
        job["spec"]["managedBy"] = json!("bench.veilgrid.dev/nobody");
        jobs.create(&create, &serde_json::from_value(job)?).await?;
        for step in ["Running", "Running, still", "Succeeded"] {
            let mut status = self.status.clone();
            status["message"] = json!(step);
            jobs.patch_status(name, &patch, &Patch::Merge(json!({"status": status}))).await?;
        }
        for party in 0..3 {
            self.party(client, &format!("{name}-{party}"), &create, &patch, &apply).await?;
        }
        let maps = api(client, ("", "v1", "ConfigMap"), "default");
        let map = json!({"metadata": {"name": name}, "data": {"result": "0".repeat(1500)}});
        maps.create(&create, &serde_json::from_value(map)?).await?;
        Ok(())
    }

    async fn party(
        &self,
        client: &Client,
        name: &str,
        create: &PostParams,
        patch: &PatchParams,
        apply: &PatchParams,
    ) -> Fallible<()> {
        let [claims, policies, secrets, jobs, pods] = PARTS.map(|part| api(client, part, OWNERS[0]));
        let made = |kind: &str| -> Fallible<DynamicObject> {
            let mut object = self.parts.get(kind).ok_or("a kind is missing")?.clone();
            object["metadata"]["name"] = json!(name);
            Ok(serde_json::from_value(object)?)
        };
        let status = |kind: &str| Patch::Merge(json!({"status": self.parts[kind]["status"]}));
        claims.create(create, &made("PrivacyClaim")?).await?;
        policies.patch(name, apply, &Patch::Apply(made("NetworkPolicy")?)).await?;
        secrets.patch(name, apply, &Patch::Apply(made("Secret")?)).await?;
        jobs.create(create, &made("Job")?).await?;
        let made_pod = pods.create(create, &made("Pod")?).await?;
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
            "target": {"apiVersion": "v1", "kind": "Node", "name": "nobody"},
        });
        let bound = http::Request::post(format!("/api/v1/namespaces/{}/pods/{name}/binding", OWNERS[0]))
            .header("content-type", "application/json")
            .body(serde_json::to_vec(&binding)?)?;
        let _: Value = client.request(bound).await?;
        for phase in ["Running", "Succeeded"] {
            let mut status = self.parts["Pod"]["status"].clone();
            status["phase"] = json!(phase);
            pods.patch_status(name, patch, &Patch::Merge(json!({"status": status}))).await?;
            let mut change = json!({"status": self.parts["Job"]["status"]});
            change["metadata"] = json!({"annotations": {"bare": phase}});
            jobs.patch_status(name, patch, &Patch::Merge(change)).await?;
        }
        for reason in ["Scheduled", "SuccessfulCreate"] {
            self.event(client, &made_pod, &format!("{name}-{}", reason.to_lowercase()), reason).await?;
        }
        let end = Patch::Merge(json!({"metadata": {"finalizers": null, "annotations": {"bare": "end"}}}));
        // The controller of pods without a node may have been faster.
        gone(pods.patch(name, patch, &end).await)?;
        claims.patch_status(name, patch, &status("PrivacyClaim")).await?;
        jobs.delete(name, &DeleteParams::background()).await?;
        gone(pods.delete(name, &DeleteParams::default()).await)?;
        // As a node's; there may be nothing left to delete.
        gone(pods.delete(name, &DeleteParams::default().grace_period(0)).await)?;
        secrets.delete(name, &DeleteParams::default()).await?;
        policies.delete(name, &DeleteParams::default()).await?;
        Ok(())
    }

    async fn event(&self, client: &Client, about: &DynamicObject, name: &str, reason: &str) -> Fallible<()> {
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"));
        let event = json!({
            "metadata": {"name": name},
            "involvedObject": about.object_ref(&kind),
            "reason": reason, "message": "0".repeat(120), "type": "Normal",
            "source": {"component": "bench"}, "count": 1,
        });
        let event = serde_json::from_value(event)?;
        api(client, ("", "v1", "Event"), OWNERS[0]).create(&PostParams::default(), &event).await?;
        Ok(())
    }
}

/// What is gone already was written to nevertheless.
fn gone<T>(done: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match done {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        done => done.map(drop),
    }
}
