//! Datasets and budgets that somebody deletes while jobs use them.

use crate::{
    scene::{VEILGRID, ask, comes, end_pods, job, owners, play, until},
    server::Server,
    store::Target,
};
use http::Method;
use serde_json::Value;

fn target(plural: &str) -> Target {
    Target::of(&format!("/{VEILGRID}/namespaces/north/{plural}/patients"))
}

fn delete(server: &Server, plural: &str) {
    let (code, answer) = server.change(|store| store.answer(&Method::DELETE, target(plural), b"", false));
    assert_eq!(code, 200, "{answer}");
}

/// North's object; null where it is gone.
fn found(server: &Server, plural: &str) -> Value {
    server.change(|store| store.answer(&Method::GET, target(plural), b"", false)).1
}

fn is_gone(server: &Server, plural: &str) -> bool {
    found(server, plural)["kind"] == "Status"
}

#[tokio::test]
async fn what_a_job_uses_stays_until_it_has_ended_and_says_why() {
    play(|server, _| async move {
        owners(&server);
        ask(&server, "first");
        comes(&server, "first", "Running").await;
        let version = |plural: &str| found(&server, plural)["metadata"]["resourceVersion"].clone();
        let before = version("privatedatasets");
        for plural in ["privatedatasets", "privacybudgets"] {
            delete(&server, plural);
            let says = || found(&server, plural)["status"]["conditions"][0].clone();
            until("the reason is told", || says()["type"] == "InUse").await;
            assert_eq!(says()["message"], "is kept until job research/first has ended");
        }
        let told = || {
            let events = server.change(|store| store.all("events"));
            events.iter().filter(|event| event["reason"] == "InUse").count()
        };
        until("events tell the reason", || told() == 2).await;
        ask(&server, "second");
        until("the second job is refused", || !job(&server, "second")["status"]["message"].is_null()).await;
        let (phase, message) =
            (&job(&server, "second")["status"]["phase"], &job(&server, "second")["status"]["message"]);
        let message = message.as_str().unwrap_or_default();
        assert_eq!(phase, "Pending");
        for part in [
            "the PrivateDataset north/patients is being deleted",
            "its PrivacyBudget north/patients is being deleted",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert_ne!(before, version("privatedatasets"));
        end_pods(&server, "first", 4);
        comes(&server, "first", "Failed").await;
        until("both are gone", || is_gone(&server, "privatedatasets") && is_gone(&server, "privacybudgets"))
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_second_job_costs_the_dataset_no_write() {
    play(|server, _| async move {
        owners(&server);
        ask(&server, "first");
        comes(&server, "first", "Running").await;
        let before = found(&server, "privatedatasets");
        assert_eq!(before["metadata"]["finalizers"][0], "veilgrid.dev/in-use");
        ask(&server, "second");
        comes(&server, "second", "Running").await;
        assert_eq!(found(&server, "privatedatasets"), before);
    })
    .await;
}

#[tokio::test]
async fn what_no_job_used_goes_at_once() {
    play(|server, _| async move {
        owners(&server);
        for plural in ["privatedatasets", "privacybudgets"] {
            delete(&server, plural);
            assert!(is_gone(&server, plural));
        }
        ask(&server, "late");
        until("the job is refused", || !job(&server, "late")["status"]["message"].is_null()).await;
    })
    .await;
}
