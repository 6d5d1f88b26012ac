//! A result that was opened, and a log that cannot be read.

use crate::{
    scene::{ask, comes, ended_pods, job, owners, play, until},
    server::{Fault, Server},
    store::Target,
};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

fn condition(server: &Server, kind: &str) -> Value {
    let job = job(server, "j");
    let conditions = job["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
}

fn finished() -> Value {
    json!({"event": "finished", "result": "ab", "device": "cpu"})
}

/// The job `j`, whose parties have all done their part, with this log; from now on it cannot be read.
async fn unread(server: &Server, fault: Fault, log: &str) {
    owners(server);
    ask(server, "j");
    comes(server, "j", "Running").await;
    server.fail(fault, |verb, plural| (verb, plural) == ("GET", "pods"));
    ended_pods(server, "j", 0, &finished(), log);
    let words = || condition(server, "Succeeded")["reason"] == "ResultUnread";
    until("it is said that the result cannot be read", words).await;
}

/// How the job ends, which was charged once.
async fn is_lost(server: &Server, why: &str) {
    comes(server, "j", "Failed").await;
    let failed = condition(server, "Failed");
    assert_eq!(failed["reason"], "ResultLost");
    assert!(failed["message"].as_str().is_some_and(|message| message.contains(why)), "{failed}");
    let claims = server.change(|store| store.all("privacyclaims"));
    assert!(claims.len() == 2 && claims.iter().all(|claim| claim["status"]["outcome"] == "Spent"));
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_read_again_while_its_pod_is_there() {
    for fault in [Fault::Code(500, None), Fault::Code(404, None), Fault::Hang, Fault::Break] {
        play(|server, _| async move {
            unread(&server, fault, &format!("{}\n", finished())).await;
            let before = server.faults();
            until("it is tried again", || server.faults() > before + 2).await;
            assert_eq!(job(&server, "j")["status"]["phase"], "Running", "{fault:?}");
            // Only what a whole log does not say is lost.
            server.clear();
            is_lost(&server, "has no result with hash ab").await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_log_that_is_not_whole_proves_nothing() {
    play(|server, _| async move {
        unread(&server, Fault::Code(500, None), "unable to retrieve container logs").await;
        server.clear();
        let words = || {
            condition(&server, "Succeeded")["message"]
                .as_str()
                .is_some_and(|why| why.contains("is not whole"))
        };
        until("it is said that the log is not whole", words).await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(job(&server, "j")["status"]["phase"], "Running");
    })
    .await;
}

#[tokio::test]
async fn a_result_whose_pods_are_gone_is_lost() {
    play(|server, _| async move {
        unread(&server, Fault::Code(500, None), "").await;
        server.change(|store| {
            for pod in store.all("pods") {
                let part = |name: &str| pod["metadata"][name].as_str().expect("a name").to_owned();
                let path = format!("/api/v1/namespaces/{}/pods/{}", part("namespace"), part("name"));
                assert_eq!(store.answer(&Method::DELETE, Target::of(&path), b"", false).0, 200);
            }
        });
        is_lost(&server, "cannot be read").await;
    })
    .await;
}
