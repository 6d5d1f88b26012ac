//! The operator against an API server that does wrong: all ends well without a restart, nothing is waited for without an end, and
//! what went wrong is counted.

mod delivery;
mod drift;
mod identity;
mod keeper;
mod launches;
mod lease;
mod named;
mod queue;
mod read;
mod room;
mod scene;
mod server;
mod store;

use scene::{VEILGRID, ask, comes, end_pods, job, life, owners, play, until};
use serde_json::json;
use server::Fault;
use std::time::Duration;
use tokio::time::sleep;
use veilgrid_operator::metrics::Metrics;

/// The sum of a figure over its labels, of which one is so.
fn figure(metrics: &Metrics, name: &str, label: &str) -> u64 {
    let text = metrics.text();
    let lines = text
        .lines()
        .filter(|line| line.starts_with(&format!("veilgrid_operator_{name}{{")) && line.contains(label));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// The first request of every verb on every kind goes wrong, from the operator's first list on; the job's life is as always.
async fn each(fault: Fault, trouble: &'static str) {
    play(|server, metrics| async move {
        owners(&server);
        server.fail_each(fault, 1);
        life(&server, "j").await;
        assert!(server.faults() > 20, "{} faults", server.faults());
        assert!(figure(&metrics, "api_troubles_total", trouble) > 10, "{trouble}:\n{}", metrics.text());
    })
    .await;
}

#[tokio::test]
async fn without_a_fault_nothing_is_counted() {
    play(|server, metrics| async move {
        owners(&server);
        life(&server, "j").await;
        let troubles = ["timeout", "connection", "gone", "too_many_requests", "server"];
        let counted = |trouble: &&str| figure(&metrics, "api_troubles_total", &format!("\"{trouble}\"")) > 0;
        assert_eq!(troubles.iter().find(|trouble| counted(trouble)), None, "{}", metrics.text());
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_busy() {
    each(Fault::Code(429, Some(3600)), "too_many_requests").await;
}

#[tokio::test]
async fn a_server_that_breaks_down() {
    each(Fault::Code(500, None), "server").await;
}

#[tokio::test]
async fn a_server_that_is_away() {
    each(Fault::Code(503, None), "server").await;
}

#[tokio::test]
async fn a_server_that_sees_conflicts() {
    each(Fault::Code(409, None), "conflict").await;
}

#[tokio::test]
async fn a_server_that_forgets() {
    each(Fault::Code(410, None), "gone").await;
}

#[tokio::test]
async fn a_connection_that_hangs() {
    each(Fault::Hang, "timeout").await;
}

#[tokio::test]
async fn a_connection_that_hangs_within_an_answer() {
    each(Fault::Stall, "timeout").await;
}

#[tokio::test]
async fn a_connection_that_is_closed() {
    each(Fault::Close, "connection").await;
}

#[tokio::test]
async fn a_connection_that_breaks_off_within_an_answer() {
    each(Fault::Break, "connection").await;
}

#[tokio::test]
async fn answers_that_are_not_whole_or_not_of_the_server() {
    for fault in [Fault::Truncate, Fault::Page] {
        play(|server, metrics| async move {
            owners(&server);
            server.fail_each(fault, 1);
            life(&server, "j").await;
            assert!(figure(&metrics, "reconcile_failures_total", "\"unreadable\"") > 0, "{}", metrics.text());
        })
        .await;
    }
}

#[tokio::test]
async fn a_watch_that_falls_silent_is_begun_anew() {
    play(|server, metrics| async move {
        owners(&server);
        ask(&server, "first");
        comes(&server, "first", "Running").await;
        // All running watches end, and those that follow say nothing.
        server.fail(Fault::Stall, |verb, _| verb == "WATCH");
        server.end_watches();
        until("all watches are silent", || server.faults() >= 6).await;
        end_pods(&server, "first", 4);
        until("the silence is told", || figure(&metrics, "api_troubles_total", "silence") >= 6).await;
        assert_eq!(job(&server, "first")["status"]["phase"], "Running");
        server.clear();
        comes(&server, "first", "Failed").await;
    })
    .await;
}

#[tokio::test]
async fn watches_that_are_expired_list_anew() {
    play(|server, metrics| async move {
        owners(&server);
        ask(&server, "first");
        comes(&server, "first", "Running").await;
        server.fail(Fault::Code(500, None), |verb, _| verb == "WATCH");
        server.end_watches();
        until("nothing is watched", || server.faults() >= 6).await;
        // A job comes, and no watch will ever tell of it.
        ask(&server, "second");
        server.change(store::Store::expire);
        server.clear();
        comes(&server, "second", "Running").await;
        assert!(figure(&metrics, "watch_failures_total", "") > 0, "{}", metrics.text());
    })
    .await;
}

#[tokio::test]
async fn a_malformed_object_breaks_only_itself() {
    play(|server, metrics| async move {
        owners(&server);
        let bad = |kind: &str, name: &str| json!({"apiVersion": "veilgrid.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": {"strange": 1}});
        // There before the first list, and coming by a watch.
        for (kind, plural) in [("PrivateJob", "privatejobs"), ("PrivateDataset", "privatedatasets"), ("PrivacyBudget", "privacybudgets")] {
            server.make(&format!("{VEILGRID}/{plural}"), "north", bad(kind, "before"));
        }
        life(&server, "j").await;
        server.make(&format!("{VEILGRID}/privatejobs"), "north", bad("PrivateJob", "later"));
        let told = |name: &str| {
            let events = server.change(|store| store.all("events"));
            events.iter().filter(|e| e["reason"] == "NotUnderstood" && e["regarding"]["name"] == name).count()
        };
        until("events tell of the malformed objects", || told("before") == 3 && told("later") == 1).await;
        assert_eq!(figure(&metrics, "malformed_objects_total", ""), 4);
        // What becomes well-formed is taken up.
        server.change(|store| {
            let target = store::Target::of(&format!("/{VEILGRID}/namespaces/north/privatejobs/later"));
            let spec = job_spec(store);
            let (code, _) = store.answer(&http::Method::PATCH, target, json!({"spec": spec}).to_string().as_bytes(), false);
            assert_eq!(code, 200);
        });
        until("the job is judged", || !job(&server, "later")["status"]["phase"].is_null()).await;
    })
    .await;
}

/// The spec of the job `j`, and nothing of a malformed one.
fn job_spec(store: &store::Store) -> serde_json::Value {
    let job =
        store.all("privatejobs").into_iter().find(|job| job["metadata"]["name"] == "j").expect("the job");
    let mut spec = job["spec"].clone();
    spec["strange"] = serde_json::Value::Null;
    spec
}

#[tokio::test]
async fn a_server_that_starts_anew() {
    play(|server, _| async move {
        owners(&server);
        ask(&server, "first");
        comes(&server, "first", "Running").await;
        server.stop().await;
        sleep(Duration::from_secs(1)).await;
        end_pods(&server, "first", 4);
        server.restart().await;
        comes(&server, "first", "Failed").await;
    })
    .await;
}
