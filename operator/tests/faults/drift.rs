//! What somebody changes or deletes of a running job's objects.

use crate::{
    scene::{ask, comes, owners, play, until},
    server::Server,
    store::Target,
};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

fn of<'a>(objects: &'a [Value], namespace: &str) -> &'a Value {
    objects.iter().find(|object| object["metadata"]["namespace"] == namespace).unwrap_or(&Value::Null)
}

fn all(server: &Server, plural: &str) -> Vec<Value> {
    server.change(|store| store.all(plural))
}

fn write(server: &Server, method: Method, resource: &str, object: &Value, patch: &Value) {
    let mut target = Target::of(&format!("/{resource}"));
    target.namespace = object["metadata"]["namespace"].as_str().expect("a namespace").into();
    target.name = object["metadata"]["name"].as_str().expect("a name").into();
    let (code, answer) =
        server.change(|store| store.answer(&method, target, patch.to_string().as_bytes(), false));
    assert_eq!(code, 200, "{answer}");
}

#[tokio::test]
async fn a_policy_that_somebody_changes_or_deletes_is_put_back() {
    let resource = "apis/networking.k8s.io/v1/networkpolicies";
    play(|server, _| async move {
        owners(&server);
        ask(&server, "j");
        comes(&server, "j", "Running").await;
        // Until the operator has seen that all are made, it makes them, and tells nobody.
        sleep(Duration::from_secs(2)).await;
        let made = all(&server, "networkpolicies");
        assert_eq!(made.len(), 2);
        let (open, foreign) =
            (json!({"spec": {"ingress": [{}]}}), json!({"metadata": {"labels": {"team": "a"}}}));
        write(&server, Method::PATCH, resource, of(&made, "north"), &foreign);
        write(&server, Method::PATCH, resource, of(&made, "north"), &open);
        write(&server, Method::DELETE, resource, of(&made, "south"), &Value::Null);
        let is_back = || {
            let now = all(&server, "networkpolicies");
            ["north", "south"].iter().all(|owner| of(&now, owner)["spec"] == of(&made, owner)["spec"])
        };
        until("the policies are back", is_back).await;
        let now = all(&server, "networkpolicies");
        assert_eq!(of(&now, "north")["metadata"]["labels"]["team"], "a");
        assert_eq!(
            of(&now, "south")["metadata"]["ownerReferences"],
            of(&made, "south")["metadata"]["ownerReferences"]
        );
        let told =
            || all(&server, "events").iter().filter(|event| event["reason"] == "PolicyRestored").count();
        until("an event tells of it", || told() >= 1).await;
        // What others put on it is theirs, and nothing is written for it.
        let version = || of(&all(&server, "networkpolicies"), "north")["metadata"]["resourceVersion"].clone();
        write(
            &server,
            Method::PATCH,
            resource,
            of(&now, "north"),
            &json!({"metadata": {"labels": {"team": "b"}}}),
        );
        let before = version();
        ask(&server, "second");
        comes(&server, "second", "Running").await;
        assert_eq!(version(), before);
    })
    .await;
}

#[tokio::test]
async fn what_a_namespace_shares_is_put_back() {
    play(|server, _| async move {
        owners(&server);
        ask(&server, "j");
        comes(&server, "j", "Running").await;
        let (services, accounts) = (all(&server, "services"), all(&server, "serviceaccounts"));
        write(&server, Method::DELETE, "api/v1/services", of(&services, "north"), &Value::Null);
        let token = json!({"automountServiceAccountToken": true});
        write(&server, Method::PATCH, "api/v1/serviceaccounts", of(&accounts, "south"), &token);
        until("both are back", || {
            of(&all(&server, "services"), "north")["spec"] == of(&services, "north")["spec"]
                && of(&all(&server, "serviceaccounts"), "south")["automountServiceAccountToken"] == false
        })
        .await;
    })
    .await;
}
