//! The custom resource definitions, as committed under `crds/`.

/// The kinds and their CustomResourceDefinitions in YAML, for `kubectl apply` and for people.
pub const CRDS: &[(&str, &str)] = &[
    ("PrivateJob", include_str!("../crds/privatejobs.yaml")),
    ("PrivateDataset", include_str!("../crds/privatedatasets.yaml")),
    ("PrivacyBudget", include_str!("../crds/privacybudgets.yaml")),
];

/// The definitions as the types say now: a kind, its file's name and its text.
///
/// # Panics
/// Where a definition cannot be written as YAML, which the test of the committed ones would tell.
#[cfg(feature = "crd")]
pub fn generate() -> Vec<(&'static str, String, String)> {
    use crate::{budget::PrivacyBudget, dataset::PrivateDataset, job::PrivateJob};
    use kube::CustomResourceExt;
    let definitions = [
        ("PrivateJob", PrivateJob::crd()),
        ("PrivateDataset", PrivateDataset::crd()),
        ("PrivacyBudget", PrivacyBudget::crd()),
    ];
    definitions
        .into_iter()
        .map(|(kind, definition)| {
            let file = format!("{}.yaml", definition.spec.names.plural);
            let text = serde_saphyr::to_string(&definition).expect("a definition is YAML");
            (
                kind,
                file,
                format!("# Generated: cargo run -p veilgrid-api --features crd --example crds\n{text}"),
            )
        })
        .collect()
}
