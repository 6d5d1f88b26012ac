//! A job that waits for room for its accelerators, held and let go on.

use crate::{
    scene::{ask_with, comes, edit, is_settled, job, owners, play, until},
    server::Server,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How a job of two parties begins that each want a device.
fn begin(server: &Server, further: &Value) {
    owners(server);
    let mut spec = json!({"accelerator": {"resource": "example.com/gpu", "count": 1}});
    for (field, value) in further.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    ask_with(server, "j", &spec);
}

fn node(server: &Server, name: &str, devices: u32) {
    let has = json!({"cpu": "8", "memory": "16Gi", "pods": "100", "example.com/gpu": devices.to_string()});
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {}}, "spec": {}, "status": {"allocatable": has}});
    server.make("api/v1/nodes", "", node);
}

fn condition(server: &Server, kind: &str) -> Value {
    let job = job(server, "j");
    let conditions = job["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
}

/// Waits until the attempt waits for room.
async fn waits(server: &Server, attempt: u32) {
    until(&format!("attempt {attempt} waits for room"), || {
        let status = job(server, "j")["status"].clone();
        let message = status["message"].as_str().unwrap_or_default().to_owned();
        status["attempt"] == attempt
            && status["phase"] == "Reserving"
            && message.starts_with("waits for room")
    })
    .await;
}

/// The outcomes of an attempt's claims; null for those that have none.
fn outcomes(server: &Server, attempt: u32) -> Vec<Value> {
    let claims = server.change(|store| store.all("privacyclaims"));
    let attempt = attempt.to_string();
    let of = |claim: &&Value| claim["metadata"]["labels"]["veilgrid.dev/attempt"] == attempt.as_str();
    claims.iter().filter(of).map(|claim| claim["status"]["outcome"].clone()).collect()
}

async fn is_held(server: &Server, attempt: u32) {
    edit(server, "j", &json!({"suspend": true}));
    comes(server, "j", "Suspended").await;
    let released = || outcomes(server, attempt) == ["Released", "Released"];
    until(&format!("what attempt {attempt} claimed is released"), released).await;
    until("nothing is reserved", || {
        let budgets = server.change(|store| store.all("privacybudgets"));
        budgets
            .iter()
            .all(|b| b["status"]["reserved"]["epsilon"] == "0" && b["status"]["spent"]["epsilon"] == "0")
    })
    .await;
    assert!(server.change(|store| store.all("jobs")).is_empty(), "what waits for room has Jobs");
}

#[tokio::test]
async fn a_job_that_went_on_and_waits_for_room_is_held_again() {
    play(|server, _| async move {
        begin(&server, &json!({}));
        node(&server, "small", 1);
        waits(&server, 1).await;
        for attempt in [1, 2] {
            is_held(&server, attempt).await;
            edit(&server, "j", &json!({"suspend": false}));
            waits(&server, attempt + 1).await;
        }
        assert_eq!(outcomes(&server, 3), [Value::Null, Value::Null]);
        // When there is room it begins, as the first time.
        node(&server, "large", 1);
        comes(&server, "j", "Running").await;
        assert_eq!(job(&server, "j")["status"]["attempt"], 3);
        assert_eq!(server.change(|store| store.all("jobs")).len(), 2);
        assert_eq!(outcomes(&server, 3), [Value::Null, Value::Null]);
        // Held once more, its pods end first: those that never began cost nothing.
        edit(&server, "j", &json!({"suspend": true}));
        comes(&server, "j", "Suspended").await;
        assert_eq!(outcomes(&server, 3).len(), 2);
        assert!(outcomes(&server, 3).iter().all(|outcome| !outcome.is_null()));
    })
    .await;
}

#[tokio::test]
async fn the_time_of_an_attempt_does_not_run_while_it_waits_for_room() {
    play(|server, _| async move {
        begin(&server, &json!({"activeDeadlineSeconds": 1, "readyDeadlineSeconds": 5}));
        waits(&server, 1).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        is_held(&server, 1).await;
        let begun = Instant::now();
        edit(&server, "j", &json!({"suspend": false}));
        waits(&server, 2).await;
        // Its wait is that of this attempt alone.
        comes(&server, "j", "Failed").await;
        assert!(begun.elapsed() >= Duration::from_secs(4), "{:?}", begun.elapsed());
        assert_eq!(condition(&server, "Failed")["reason"], "NotReady");
        let message = job(&server, "j")["status"]["message"].clone();
        let told = "not all parties fit at once after 5 s: ";
        assert!(message.as_str().is_some_and(|text| text.starts_with(told)), "{message}");
        until("what it claimed is released", || outcomes(&server, 2) == ["Released", "Released"]).await;
        assert!(!is_settled(&server), "its two attempts have four claims");
        assert!(server.change(|store| store.all("jobs")).is_empty());
    })
    .await;
}
