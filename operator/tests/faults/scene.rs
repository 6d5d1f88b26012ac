//! A job of two parties, the operator, and a kubelet by hand.

use crate::{server::Server, store::Target};
use http::Method;
use kube::Config;
use serde_json::{Value, json};
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use veilgrid_operator::{
    client,
    identity::OperatorSeed,
    job::build::{IdentitySource, PodSettings},
    metrics::Metrics,
    patience::Patience,
    run,
};

pub(crate) const VEILGRID: &str = "apis/veilgrid.dev/v1alpha1";
const OWNERS: [&str; 2] = ["north", "south"];

/// Short enough that a test may wait for its end.
const PATIENCE: Patience = Patience {
    answer: Duration::from_millis(500),
    silence: Duration::from_millis(1500),
    pause: Duration::from_millis(300),
};

/// Plays a script while the operator runs, which must not end by itself.
pub(crate) async fn play<Script: Future<Output = ()>>(script: impl FnOnce(Server, Arc<Metrics>) -> Script) {
    play_by(IdentitySource::Secret, script).await;
}

/// The same with parties' keys from there.
pub(crate) async fn play_by<Script: Future<Output = ()>>(
    identity: IdentitySource,
    script: impl FnOnce(Server, Arc<Metrics>) -> Script,
) {
    let server = Server::start().await;
    let metrics = Arc::new(Metrics::default());
    let pods = PodSettings {
        image: "party".into(),
        pull_policy: "Never".into(),
        identity,
        groups: None,
        queues: true,
    };
    let seed = OperatorSeed::new([7; 32]);
    let config = Config::new(format!("http://{}", server.address).parse().expect("a URI"));
    let client = client::build(config, PATIENCE, Arc::clone(&metrics), None).expect("a client");
    let operator = run::run(client, &[], Arc::clone(&metrics), seed, pods, || {});
    tokio::select! {
        () = operator => panic!("the operator ended"),
        () = script(server, Arc::clone(&metrics)) => {}
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(90), "not in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// What the owners offer.
pub(crate) fn owners(server: &Server) {
    for owner in OWNERS {
        let budget = json!({"apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivacyBudget", "metadata": {"name": "patients"}, "spec": {"epsilon": 10.0}});
        server.make(&format!("{VEILGRID}/privacybudgets"), owner, budget);
        let dataset = json!({
            "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivateDataset", "metadata": {"name": "patients"},
            "spec": {
                "source": {"path": "rows.csv", "volume": {"configMap": "rows"}},
                "columns": [{"name": "age", "number": {"min": 0.0, "max": 120.0}}],
                "maxRows": 1000, "budget": "patients", "access": {"namespaces": ["research"]},
            },
        });
        server.make(&format!("{VEILGRID}/privatedatasets"), owner, dataset);
    }
}

/// A job that asks them.
pub(crate) fn ask(server: &Server, name: &str) {
    ask_with(server, name, &json!({}));
}

/// The same with further fields of its spec.
pub(crate) fn ask_with(server: &Server, name: &str, spec: &Value) {
    let party = |owner: &str| json!({"name": owner, "dataset": {"name": "patients", "namespace": owner}});
    let mut job = json!({
        "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivateJob", "metadata": {"name": name},
        "spec": {
            "parties": OWNERS.map(party),
            "privacy": {"epsilon": 1.0},
            "computation": {"statistics": [{"name": "people", "count": {}}]},
        },
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        job["spec"][field] = value.clone();
    }
    server.make(&format!("{VEILGRID}/privatejobs"), "research", job);
}

/// Changes the spec of a job.
pub(crate) fn edit(server: &Server, name: &str, spec: &Value) {
    request(
        server,
        &Method::PATCH,
        &format!("{VEILGRID}/namespaces/research/privatejobs/{name}"),
        &json!({"spec": spec}),
    );
}

/// Asks the server as somebody else would.
pub(crate) fn request(server: &Server, method: &Method, path: &str, body: &Value) {
    let target = Target::of(path);
    let (code, answer) =
        server.change(|store| store.answer(method, target, body.to_string().as_bytes(), false));
    assert_eq!(code, 200, "{answer}");
}

/// A job, as it is now.
pub(crate) fn job(server: &Server, name: &str) -> Value {
    let jobs = server.change(|store| store.all("privatejobs"));
    jobs.into_iter().find(|job| job["metadata"]["name"] == name).unwrap_or_default()
}

/// Waits for a job's phase.
pub(crate) async fn comes(server: &Server, name: &str, phase: &str) {
    until(&format!("{name} is {phase}"), || job(server, name)["status"]["phase"] == phase).await;
}

/// The pods of a job's parties, which all end with the exit code.
pub(crate) fn end_pods(server: &Server, name: &str, code: i32) {
    let last = json!({"event": "failed", "code": 4, "message": "row 3"});
    ended_pods(server, name, code, &last, "");
}

/// The same with their last words, and with a log.
pub(crate) fn ended_pods(server: &Server, name: &str, code: i32, last: &Value, log: &str) {
    for party in server.change(|store| store.all("jobs")) {
        let (metadata, template) = (&party["metadata"], &party["spec"]["template"]["metadata"]["labels"]);
        if template["veilgrid.dev/job"] != name {
            continue;
        }
        let mut labels = template.clone();
        labels["batch.kubernetes.io/job-name"] = metadata["name"].clone();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": metadata["name"], "labels": labels}, "spec": {"nodeName": "n", "containers": []},
            "log": log,
            "status": {"phase": if code == 0 { "Succeeded" } else { "Failed" }, "containerStatuses": [{
                "name": "party", "ready": false, "restartCount": 0, "image": "", "imageID": "",
                "state": {"terminated": {"exitCode": code, "message": last.to_string()}},
            }]},
        });
        server.make("api/v1/pods", metadata["namespace"].as_str().expect("a namespace"), pod);
    }
}

/// Whether nothing is held or spent and every claim is released.
pub(crate) fn is_settled(server: &Server) -> bool {
    server.change(|store| {
        let free = |budget: &Value| {
            budget["status"]["reserved"]["epsilon"] == "0" && budget["status"]["spent"]["epsilon"] == "0"
        };
        let claims = store.all("privacyclaims");
        claims.len() == OWNERS.len()
            && claims.iter().all(|claim| claim["status"]["outcome"] == "Released")
            && store
                .all("privacybudgets")
                .iter()
                .filter(|budget| budget["metadata"]["name"] == "patients")
                .all(free)
    })
}

/// A job's whole life.
pub(crate) async fn life(server: &Server, name: &str) {
    ask(server, name);
    comes(server, name, "Running").await;
    assert_eq!(server.change(|store| store.all("jobs").len()), OWNERS.len(), "a Job for each party");
    end_pods(server, name, 4);
    comes(server, name, "Failed").await;
    until("all is settled", || is_settled(server)).await;
    let message = job(server, name)["status"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("ended with exit code 4: its rows") && !message.contains("row 3"), "{message}");
}
