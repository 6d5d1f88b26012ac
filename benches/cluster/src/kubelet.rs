//! A fake kubelet: nodes whose pods run as soon as their Secret is there and end when all of their run or group have run.

use crate::party::{self, Config, Written};
use futures::StreamExt;
use k8s_openapi::{
    api::core::v1::{Node, Pod, Secret},
    jiff::Timestamp,
};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    runtime::{
        WatchStreamExt,
        reflector::{self, ObjectRef, Store},
        watcher,
    },
};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    error::Error,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A party that runs: where its pod is, and who it is.
struct Running {
    namespace: String,
    pod: String,
    party: String,
}

/// What all fake nodes know.
#[derive(Default)]
struct Shared {
    /// Pods that were taken up or removed.
    begun: HashSet<String>,
    gone: HashSet<String>,
    /// Parties that run, by their run.
    runs: HashMap<String, Vec<Running>>,
    /// Pods of the peer's groups that run.
    groups: HashMap<String, Vec<Running>>,
    /// Logs by `namespace/pod`.
    logs: HashMap<String, Arc<String>>,
}

/// The fake kubelet of all fake nodes.
pub struct Kubelet {
    client: Client,
    shared: Mutex<Shared>,
    /// The Secrets that there are, and word of each change.
    secrets: Store<Secret>,
    changed: watch::Sender<()>,
}

impl Kubelet {
    /// Registers the nodes and plays them until the process ends.
    pub async fn start(client: Client, nodes: usize) -> Fallible<()> {
        let (secrets, writer) = reflector::store();
        let changed = watch::Sender::new(());
        let kubelet = Arc::new(Self { client: client.clone(), shared: Mutex::default(), secrets, changed });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let key = made.signing_key.serialize_der().try_into()?;
        let tls =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key)?;
        tokio::spawn(Arc::clone(&kubelet).serve(listener, TlsAcceptor::from(Arc::new(tls))));
        for number in 0..nodes {
            register(&client, &format!("fake-{number}"), port).await?;
        }
        tokio::spawn(Arc::clone(&kubelet).follow(writer));
        tokio::spawn(kubelet.play());
        Ok(())
    }

    /// Keeps up with the parties' Secrets. Every real kubelet watches those that its pods mount; this one watches for all of them.
    async fn follow(self: Arc<Self>, writer: reflector::store::Writer<Secret>) {
        let of_jobs = watcher::Config::default().labels("veilgrid.dev/job");
        watcher(Api::<Secret>::all(self.client.clone()), of_jobs)
            .default_backoff()
            .reflect(writer)
            .for_each(async |_| self.changed.send_replace(()))
            .await;
    }

    async fn play(self: Arc<Self>) {
        let mut pods = watcher(Api::<Pod>::all(self.client.clone()), watcher::Config::default())
            .default_backoff()
            .touched_objects()
            .boxed();
        while let Some(seen) = pods.next().await {
            let Ok(pod) = seen else { continue };
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref());
            if node.is_none_or(|node| !node.starts_with("fake-")) {
                continue;
            }
            let (uid, ends) = (pod.uid().unwrap_or_default(), pod.metadata.deletion_timestamp.is_some());
            let is_new = {
                let mut shared = self.shared.lock().expect("nobody panics with it");
                if ends { shared.gone.insert(uid) } else { shared.begun.insert(uid) }
            };
            if is_new {
                let kubelet = Arc::clone(&self);
                tokio::spawn(async move {
                    let name = pod.name_any();
                    let group = pod.labels().get("jobset.sigs.k8s.io/jobset-name");
                    let done = match group {
                        _ if ends => kubelet.remove(&pod).await,
                        Some(group) => kubelet.run_in_group(&pod, group).await,
                        None => kubelet.run(&pod).await,
                    };
                    if let Err(error) = done {
                        eprintln!("fake kubelet: {name}: {error}");
                    }
                });
            }
        }
    }

    async fn remove(&self, pod: &Pod) -> Fallible<()> {
        let now = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        match self.pods(&pod.namespace().unwrap_or_default()).delete(&pod.name_any(), &now).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            removed => Ok(removed.map(drop)?),
        }
    }

    async fn run(&self, pod: &Pod) -> Fallible<()> {
        let namespace = pod.namespace().unwrap_or_default();
        let secret = ObjectRef::new(&pod.labels()["batch.kubernetes.io/job-name"]).within(&namespace);
        // As a kubelet does, it waits for what it is to mount.
        let mut changed = self.changed.subscribe();
        let secret = loop {
            match self.secrets.get(&secret) {
                Some(secret) => break secret,
                None => changed.changed().await?,
            }
        };
        let data = secret.data.as_ref().ok_or("an empty Secret")?;
        let uid = &pod.labels()["batch.kubernetes.io/controller-uid"];
        let config: Config = serde_json::from_slice(&data[&format!("{uid}.json")].0)?;
        let now = Timestamp::now().to_string();
        self.report(&namespace, &pod.name_any(), "Running", json!({"running": {"startedAt": now}})).await?;

        let plan = party::plan(str::from_utf8(&data["manifest.yaml"].0)?, &config.run)?;
        let all = {
            let mut shared = self.shared.lock().expect("nobody panics with it");
            let runs = shared.runs.entry(config.run.clone()).or_default();
            runs.push(Running { namespace, pod: pod.name_any(), party: config.party });
            if runs.len() < plan.parties.len() {
                return Ok(());
            }
            shared.runs.remove(&config.run).unwrap_or_default()
        };
        self.finish(all, &party::written(plan)).await
    }

    /// A pod of the peer's: three of a group run, then they end.
    async fn run_in_group(&self, pod: &Pod, group: &str) -> Fallible<()> {
        let (namespace, now) = (pod.namespace().unwrap_or_default(), Timestamp::now().to_string());
        self.report(&namespace, &pod.name_any(), "Running", json!({"running": {"startedAt": now}})).await?;
        let all = {
            let mut shared = self.shared.lock().expect("nobody panics with it");
            let pods = shared.groups.entry(group.to_owned()).or_default();
            pods.push(Running { namespace, pod: pod.name_any(), party: String::new() });
            if pods.len() < 3 {
                return Ok(());
            }
            shared.groups.remove(group).unwrap_or_default()
        };
        let ends = all.iter().map(|running| {
            let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": now}});
            self.report(&running.namespace, &running.pod, "Succeeded", ended)
        });
        futures::future::try_join_all(ends).await.map(drop)
    }

    async fn finish(&self, parties: Vec<Running>, written: &Written) -> Fallible<()> {
        let line = json!({"event": "result", "result": written.result, "receipt": written.receipt});
        let log = Arc::new(format!("{line}\n"));
        let ends = parties.iter().map(|running| {
            let opens = written.recipients.contains(&running.party);
            if opens {
                let key = format!("{}/{}", running.namespace, running.pod);
                self.shared.lock().expect("nobody panics with it").logs.insert(key, Arc::clone(&log));
            }
            let last = json!({"event": "finished", "result": opens.then_some(&written.hash), "device": "cpu"});
            let now = Timestamp::now().to_string();
            let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": now, "message": last.to_string()}});
            self.report(&running.namespace, &running.pod, "Succeeded", ended)
        });
        futures::future::try_join_all(ends).await.map(drop)
    }

    async fn report(&self, namespace: &str, pod: &str, phase: &str, state: Value) -> Fallible<()> {
        let runs = phase == "Running";
        let ready = if runs { "True" } else { "False" };
        let status = json!({"status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": ready}, {"type": "ContainersReady", "status": ready}],
            "containerStatuses": [{
                "name": "party", "image": "party", "imageID": "party", "containerID": "fake://party",
                "ready": runs, "started": runs, "restartCount": 0, "state": state,
            }],
        }});
        // A strategic patch replaces one state of a container by another only where it says so.
        let mut status = status;
        if !runs {
            status["status"]["containerStatuses"][0]["state"]["running"] = Value::Null;
        }
        self.pods(namespace).patch_status(pod, &PatchParams::default(), &Patch::Strategic(status)).await?;
        Ok(())
    }

    fn pods(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Answers the API server's requests for logs, each on a connection of its own.
    async fn serve(self: Arc<Self>, listener: TcpListener, tls: TlsAcceptor) {
        while let Ok((socket, _)) = listener.accept().await {
            let (kubelet, tls) = (Arc::clone(&self), tls.clone());
            tokio::spawn(async move {
                let mut stream = tls.accept(socket).await?;
                let mut request = Vec::new();
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await? == 0 {
                        return Ok(());
                    }
                }
                // GET /containerLogs/NAMESPACE/POD/CONTAINER?...
                let text = String::from_utf8_lossy(&request);
                let path: Vec<&str> = text.split(' ').nth(1).unwrap_or_default().split('/').collect();
                let key = path.get(2..4).map(|of| of.join("/")).unwrap_or_default();
                let log = kubelet.shared.lock().expect("nobody panics with it").logs.get(&key).cloned();
                let (status, body) = match &log {
                    Some(log) => ("200 OK", log.as_str()),
                    None => ("404 Not Found", ""),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(body.as_bytes()).await?;
                stream.shutdown().await
            });
        }
    }
}

async fn register(client: &Client, name: &str, port: u16) -> Fallible<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"fake": "true", "kubernetes.io/hostname": name}},
        "spec": {"taints": [{"key": "fake", "effect": "NoSchedule"}]},
    });
    nodes.create(&PostParams::default(), &serde_json::from_value(node)?).await?;
    let room = json!({"cpu": "10k", "memory": "100Ti", "pods": "100k"});
    let status = json!({"status": {
        "allocatable": room, "capacity": room,
        "conditions": [{"type": "Ready", "status": "True", "reason": "Fake", "lastHeartbeatTime": Timestamp::now().to_string()}],
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }});
    nodes.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}
