//! A result that was opened and is on its way to a volume.

use crate::{
    scene::{VEILGRID, ask, comes, job, owners, play, until},
    server::Server,
    store::Target,
};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;
use veilgrid_api::job::PrivateJob;
use veilgrid_operator::{
    job::build::place_hash,
    names::{DELIVERY, JOB, JOB_NAMESPACE, MANAGED_BY, MANAGER, PLACE, ROLE, seats},
};

fn patch(server: &Server, path: &str, patch: &Value) {
    let target = Target::of(path);
    let (code, answer) =
        server.change(|store| store.answer(&Method::PATCH, target, patch.to_string().as_bytes(), false));
    assert_eq!(code, 200, "{answer}");
}

fn condition(server: &Server, kind: &str) -> Value {
    let job = job(server, "j");
    let conditions = job["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
}

/// The job `j`, whose parties' Jobs are made, and whose result goes to a volume.
async fn runs(server: &Server) -> PrivateJob {
    owners(server);
    ask(server, "j");
    let result = json!({"volume": {"claim": "results"}, "path": "j"});
    let spec = json!({"spec": {"result": result, "backoffLimit": 3}});
    patch(server, &format!("/{VEILGRID}/namespaces/research/privatejobs/j"), &spec);
    comes(server, "j", "Running").await;
    serde_json::from_value(job(server, "j")).expect("a job")
}

/// Its status says that the delivery is made.
fn delivers(server: &Server) {
    let status = json!({"status": {"phase": "Delivering", "resultHash": "ab"}});
    patch(server, &format!("/{VEILGRID}/namespaces/research/privatejobs/j/status"), &status);
}

#[tokio::test]
async fn a_delivery_is_followed_to_its_end_and_what_keeps_it_is_told() {
    play(|server, _| async move {
        let job = runs(&server).await;
        let name = seats(&job).expect("seats")[0].delivery_name();
        let place = place_hash(job.spec.result.as_ref().expect("a place"));
        let labels = json!({MANAGED_BY: MANAGER, JOB: "j", JOB_NAMESPACE: "research", PLACE: place});
        let made = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels}, "spec": {}});
        server.make("apis/batch/v1/jobs", "research", made);
        let mut labels = labels;
        labels[ROLE] = DELIVERY.into();
        labels["batch.kubernetes.io/job-name"] = name.clone().into();
        let waits = json!([{"type": "PodScheduled", "status": "False", "message": "no such claim"}]);
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("{name}-x"), "labels": labels},
            "spec": {"containers": []}, "status": {"phase": "Pending", "conditions": waits},
        });
        server.make("api/v1/pods", "research", pod);
        delivers(&server);
        until("what keeps it is told", || condition(&server, "Delivered")["message"] == "no such claim").await;
        assert_eq!(condition(&server, "Delivered")["reason"], "DeliveryFailed");
        let told = || server.change(|store| store.all("events")).iter().filter(|e| e["reason"] == "DeliveryFailed").count();
        until("an event tells of it", || told() == 1).await;
        // Nothing is written while nothing changes.
        let before = server.change(|store| store.version);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(server.change(|store| store.version), before);
        let done = json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}});
        patch(&server, &format!("/apis/batch/v1/namespaces/research/jobs/{name}/status"), &done);
        comes(&server, "j", "Succeeded").await;
        assert_eq!(condition(&server, "Delivered")["status"], "True");
        until("all Jobs are gone", || server.change(|store| store.all("jobs").is_empty())).await;
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_cannot_be_made_anew_costs_nothing_more() {
    play(|server, _| async move {
        runs(&server).await;
        // No Job brings it anywhere, and no recipient's pod is left.
        delivers(&server);
        comes(&server, "j", "Failed").await;
        let failed = condition(&server, "Failed");
        assert_eq!(
            (&failed["reason"], &failed["message"]),
            (&json!("ResultLost"), &json!("no recipient's pod is left"))
        );
        sleep(Duration::from_secs(1)).await;
        assert_eq!(job(&server, "j")["status"]["attempt"], 1);
        assert_eq!(server.change(|store| store.all("privacyclaims").len()), 2, "no second charge");
    })
    .await;
}
