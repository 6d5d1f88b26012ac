//! The custom resource definitions, as committed under `crds/`, and the reference of their fields.

#[cfg(feature = "crd")]
mod reference;

#[cfg(feature = "crd")]
pub use reference::reference;

#[cfg(feature = "crd")]
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

/// The kinds and their CustomResourceDefinitions in YAML, for `kubectl apply` and for people.
pub const CRDS: &[(&str, &str)] = &[
    ("PrivateJob", include_str!("../crds/privatejobs.yaml")),
    ("PrivateDataset", include_str!("../crds/privatedatasets.yaml")),
    ("PrivacyBudget", include_str!("../crds/privacybudgets.yaml")),
    ("PrivacyClaim", include_str!("../crds/privacyclaims.yaml")),
];

/// The definitions as the types say now.
#[cfg(feature = "crd")]
pub fn definitions() -> Vec<CustomResourceDefinition> {
    use crate::{budget::PrivacyBudget, claim::PrivacyClaim, dataset::PrivateDataset, job::PrivateJob};
    use kube::CustomResourceExt;
    let mut definitions =
        vec![PrivateJob::crd(), PrivateDataset::crd(), PrivacyBudget::crd(), PrivacyClaim::crd()];
    for version in definitions.iter_mut().flat_map(|definition| &mut definition.spec.versions) {
        // A status may be left out; that it may be null as well helps nobody.
        let schema = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        let properties = schema.and_then(|schema| schema.properties.as_mut());
        if let Some(status) = properties.and_then(|properties| properties.get_mut("status")) {
            status.nullable = None;
        }
    }
    definitions
}

/// [`definitions`] as files: a kind, the file's name and its text.
///
/// # Panics
/// Where a definition cannot be written as YAML, which the test of the committed ones would tell.
#[cfg(feature = "crd")]
pub fn generate() -> Vec<(String, String, String)> {
    let text = |definition: &CustomResourceDefinition| {
        let text = serde_saphyr::to_string(definition).expect("a definition is YAML");
        format!("# Generated: cargo run -p veilgrid-api --features crd --example crds\n{text}")
    };
    let file = |definition: &CustomResourceDefinition| format!("{}.yaml", definition.spec.names.plural);
    definitions().iter().map(|d| (d.spec.names.kind.clone(), file(d), text(d))).collect()
}
