//! Only the Jobs that the status names get Secrets.

use crate::{
    scene::{ask, comes, job, owners, play, until},
    server::{Fault, Server},
    store::Target,
};
use http::Method;
use serde_json::Value;

fn all(server: &Server, plural: &str) -> Vec<Value> {
    server.change(|store| store.all(plural))
}

#[tokio::test]
async fn a_job_of_the_same_name_is_not_the_one_that_was_named() {
    play(|server, _| async move {
        owners(&server);
        server.fail(Fault::Code(500, None), |verb, plural| verb == "PATCH" && plural == "secrets");
        ask(&server, "j");
        comes(&server, "j", "Running").await;
        until("a Secret is asked for", || server.faults() > 0).await;
        let named = job(&server, "j")["status"]["parties"].clone();
        for party in all(&server, "jobs") {
            let (namespace, uid) = (&party["metadata"]["namespace"], &party["metadata"]["uid"]);
            let is_its = |named: &&Value| named["namespace"] == *namespace;
            let named = named.as_array().and_then(|parties| parties.iter().find(is_its));
            assert_eq!(named.map(|named| &named["job"]), Some(uid), "the status names each Job first");
        }
        // Somebody puts another in the place of one.
        let north = all(&server, "jobs").into_iter().find(|job| job["metadata"]["namespace"] == "north");
        let mut north = north.expect("a Job");
        let mut target = Target::of("/apis/batch/v1/jobs");
        target.namespace = "north".into();
        target.name = north["metadata"]["name"].as_str().expect("a name").into();
        let (code, _) = server.change(|store| store.answer(&Method::DELETE, target, b"", false));
        assert_eq!(code, 200);
        if let Some(metadata) = north["metadata"].as_object_mut() {
            metadata.retain(|field, _| ["name", "labels"].contains(&field.as_str()));
        }
        server.make("apis/batch/v1/jobs", "north", north);
        server.clear();
        comes(&server, "j", "Failed").await;
        let message = job(&server, "j")["status"]["message"].clone();
        assert!(message.as_str().is_some_and(|text| text.contains("its Job is gone")), "{message}");
        assert!(all(&server, "secrets").is_empty(), "nobody was told anything");
    })
    .await;
}
