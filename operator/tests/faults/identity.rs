//! Certificates for keys that are born on nodes: only pods of the Jobs that the status names get one.

use crate::{
    scene::{ask, comes, job, owners, play_by, request, until},
    server::{Fault, Server},
};
use http::Method;
use k8s_openapi::{
    ByteString,
    jiff::{SignedDuration, Timestamp},
};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;
use veilgrid_operator::job::build::IdentitySource;

const REQUESTS: &str = "apis/certificates.k8s.io/v1beta1/podcertificaterequests";
/// For how long a request has waited already: one that is refused is refused when it is 20 s old.
const WAITED: SignedDuration = SignedDuration::from_secs(15);

fn party_job(server: &Server, namespace: &str) -> Value {
    let jobs = server.change(|store| store.all("jobs"));
    jobs.into_iter().find(|job| job["metadata"]["namespace"] == namespace).unwrap_or_default()
}

/// The pod of a Job, and a kubelet's request for it.
fn asks(server: &Server, name: &str, job: &Value) {
    let namespace = job["metadata"]["namespace"].as_str().expect("a namespace");
    let mut labels = job["spec"]["template"]["metadata"]["labels"].clone();
    labels["batch.kubernetes.io/job-name"] = job["metadata"]["name"].clone();
    let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"], "controller": true});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
        "spec": {"nodeName": "n", "containers": []}, "status": {"phase": "Pending"},
    });
    server.make("api/v1/pods", namespace, pod);
    let pods = server.change(|store| store.all("pods"));
    let pod = pods.iter().find(|pod| pod["metadata"]["name"] == name).expect("the pod");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(Vec::new()).expect("no names");
    let stub = ByteString(params.serialize_request(&key).expect("a request").der().to_vec());
    let request = json!({
        "apiVersion": "certificates.k8s.io/v1beta1", "kind": "PodCertificateRequest",
        "metadata": {"name": name, "creationTimestamp": (Timestamp::now() - WAITED).to_string()},
        "spec": {
            "signerName": "veilgrid.dev/party", "podName": name, "podUID": pod["metadata"]["uid"], "nodeName": "n", "nodeUID": "n",
            "serviceAccountName": "veilgrid-party", "serviceAccountUID": "s", "maxExpirationSeconds": 7200, "stubPKCS10Request": stub,
        },
    });
    server.make(REQUESTS, namespace, request);
}

/// What was answered: the condition, or null.
fn answer(server: &Server, name: &str) -> Value {
    let requests = server.change(|store| store.all("podcertificaterequests"));
    let request = requests.into_iter().find(|request| request["metadata"]["name"] == name);
    request.unwrap_or_default()["status"]["conditions"][0].clone()
}

#[tokio::test]
async fn a_pod_gets_its_certificate_when_the_status_names_its_job() {
    play_by(IdentitySource::Node, |server, _| async move {
        owners(&server);
        server.fail(Fault::Code(500, None), |verb, plural| verb == "PATCH" && plural == "networkpolicies");
        ask(&server, "j");
        until("the parties' Jobs", || !party_job(&server, "north").is_null()).await;
        asks(&server, "early", &party_job(&server, "north"));
        // However old it is: nothing is known yet.
        sleep(Duration::from_secs(7)).await;
        assert_eq!(answer(&server, "early"), Value::Null);
        server.clear();
        comes(&server, "j", "Running").await;
        until("an answer", || answer(&server, "early")["type"] == "Issued").await;
        // Somebody puts another in the place of a Job, and the operator cannot say yet that the job is over.
        server.fail(Fault::Code(500, None), |verb, plural| verb == "PATCH" && plural == "privatejobs");
        let mut other = party_job(&server, "south");
        let path = format!(
            "apis/batch/v1/namespaces/south/jobs/{}",
            other["metadata"]["name"].as_str().expect("a name")
        );
        request(&server, &Method::DELETE, &path, &json!({}));
        if let Some(metadata) = other["metadata"].as_object_mut() {
            metadata.retain(|field, _| ["name", "labels"].contains(&field.as_str()));
        }
        server.make("apis/batch/v1/jobs", "south", other);
        asks(&server, "other", &party_job(&server, "south"));
        until("an answer to the other", || !answer(&server, "other").is_null()).await;
        assert_eq!(job(&server, "j")["status"]["phase"], "Running");
        let told = answer(&server, "other");
        assert_eq!([&told["type"], &told["reason"]], ["Denied", "NotNamed"], "{told}");
    })
    .await;
}
