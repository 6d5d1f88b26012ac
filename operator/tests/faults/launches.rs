//! More jobs at once than are launched at once.

use crate::{
    scene::{VEILGRID, ask_with, end_pods, owners, play, request, until},
    server::Server,
};
use http::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::sleep;

/// What the operator launches together.
const TOGETHER: usize = 32;

/// The names of the jobs for which something is claimed.
fn claimed(server: &Server) -> BTreeSet<String> {
    let claims = server.change(|store| store.all("privacyclaims"));
    claims.iter().map(|claim| claim["spec"]["job"]["name"].as_str().unwrap_or_default().to_owned()).collect()
}

fn running(server: &Server) -> usize {
    let jobs = server.change(|store| store.all("privatejobs"));
    jobs.iter().filter(|job| job["status"]["phase"] == "Running").count()
}

#[tokio::test]
async fn jobs_wait_their_turn_and_cost_nothing_meanwhile() {
    play(|server, _| async move {
        owners(&server);
        let names: Vec<String> = (0..TOGETHER + 4).map(|number| format!("j{number:02}")).collect();
        for name in &names {
            ask_with(&server, name, &json!({"privacy": {"epsilon": 0.1}}));
        }
        // Nobody makes their pods, so that all of them are still being launched.
        until("as many run as may", || running(&server) == TOGETHER).await;
        sleep(Duration::from_secs(1)).await;
        let first = claimed(&server);
        assert_eq!((first.len(), running(&server)), (TOGETHER, TOGETHER));
        let silent = |job: &Value| job["status"].is_null();
        let jobs = server.change(|store| store.all("privatejobs"));
        assert_eq!(jobs.iter().filter(|job| silent(job)).count(), 4, "a short wait is worth no write");

        // One that goes while it waits is passed over, and one that ends makes room.
        let gone = names.iter().find(|name| !first.contains(*name)).expect("four wait");
        let path = format!("{VEILGRID}/namespaces/research/privatejobs/{gone}");
        request(&server, &Method::DELETE, &path, &json!({}));
        sleep(Duration::from_millis(500)).await;
        end_pods(&server, first.first().expect("32"), 4);
        until("the next is launched", || claimed(&server).len() == TOGETHER + 1).await;
        assert!(!claimed(&server).contains(gone));
    })
    .await;
}
