//! Bad manifests: the example with some texts replaced. The tests on a cluster read the same files (cluster/test/bad_input.py).

use serde::Deserialize;

const HOSPITALS: &str = include_str!("../manifests/hospitals.yaml");

/// One bad manifest.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    /// What is replaced, and by what, wherever it stands.
    change: Vec<(String, String)>,
    /// The field of the fault.
    pub(crate) path: String,
    /// Words of its message.
    pub(crate) says: String,
    /// How many other faults follow from the same change.
    #[serde(default)]
    pub(crate) others: usize,
}

impl Case {
    /// The manifest.
    pub(crate) fn text(&self) -> String {
        let replaced = |text: String, (from, to): &(String, String)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        };
        self.change.iter().fold(HOSPITALS.to_owned(), replaced)
    }
}

/// The cases of a file.
pub(crate) fn read(json: &str) -> Vec<Case> {
    serde_json::from_str(json).expect("the cases have their form")
}
