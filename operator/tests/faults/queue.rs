//! A job that is deleted while its queue holds its parties.

use crate::{
    scene::{VEILGRID, ask, comes, edit, is_settled, job, owners, play, request, until},
    server::Server,
};
use http::Method;
use serde_json::{Value, json};

const JOB: &str = "apis/veilgrid.dev/v1alpha1/namespaces/research/privatejobs/j";

/// The job `j`, whose parties wait in a queue.
async fn waits(server: &Server) {
    assert!(JOB.starts_with(VEILGRID));
    owners(server);
    ask(server, "j");
    edit(server, "j", &json!({"queueName": "private"}));
    comes(server, "j", "Running").await;
    let jobs = server.change(|store| store.all("jobs"));
    assert!(jobs.len() == 2 && jobs.iter().all(|job| job["spec"]["suspend"] == true), "{jobs:?}");
}

fn outcomes(server: &Server) -> Vec<Value> {
    let claims = server.change(|store| store.all("privacyclaims"));
    claims.iter().map(|claim| claim["status"]["outcome"].clone()).collect()
}

#[tokio::test]
async fn what_a_queue_never_let_go_costs_nothing() {
    play(|server, _| async move {
        waits(&server).await;
        request(&server, &Method::DELETE, JOB, &json!({}));
        until("the job is gone", || job(&server, "j").is_null()).await;
        until("all is settled", || is_settled(&server)).await;
    })
    .await;
}

#[tokio::test]
async fn what_a_queue_once_let_go_is_spent() {
    play(|server, _| async move {
        waits(&server).await;
        let first = server.change(|store| store.all("jobs")).swap_remove(0);
        let part = |name: &str| first["metadata"][name].as_str().expect("a name").to_owned();
        let path = format!("apis/batch/v1/namespaces/{}/jobs/{}", part("namespace"), part("name"));
        // Let go and held again, as a queue does with whom it preempts: a pod may have been made meanwhile.
        for suspend in [false, true] {
            request(&server, &Method::PATCH, &path, &json!({"spec": {"suspend": suspend}}));
        }
        request(&server, &Method::DELETE, JOB, &json!({}));
        until("the job is gone", || job(&server, "j").is_null()).await;
        let mut ended = outcomes(&server);
        ended.sort_by_key(Value::to_string);
        assert_eq!(ended, ["Released", "Spent"]);
    })
    .await;
}
