//! The devices of a party's pod, by dynamic resource allocation.

use super::typed;
use k8s_openapi::{api::resource::v1::ResourceClaimTemplate, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde_json::{Value, json};
use veilgrid_api::job::PrivateJob;

/// The pod's name for its claim.
pub(super) const CLAIM: &str = "accelerator";

/// A claim for each pod of the party's Job, where the job asks for devices of a class.
pub(super) fn template(metadata: ObjectMeta, job: &PrivateJob) -> Option<ResourceClaimTemplate> {
    let accelerator = job.spec.accelerator.as_ref()?;
    let class = accelerator.device_class.as_ref()?;
    let selectors: Vec<Value> =
        accelerator.selectors.iter().map(|expression| json!({"cel": {"expression": expression}})).collect();
    let request = json!({
        "name": CLAIM,
        "exactly": {
            "deviceClassName": class,
            "allocationMode": "ExactCount",
            "count": accelerator.count,
            "selectors": selectors,
        },
    });
    let mut template: ResourceClaimTemplate = typed(json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate",
        "metadata": {},
        "spec": {"spec": {"devices": {"requests": [request]}}},
    }));
    template.metadata = metadata;
    Some(template)
}
