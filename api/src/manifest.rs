//! A manifest: the objects of a YAML file.
//!
//! [`parse`] tells every fault of the file's form, with its line. What the fields say is checked by
//! [`validate`](crate::validate::validate).

use crate::{
    budget::PrivacyBudgetSpec,
    dataset::PrivateDatasetSpec,
    fault::{Fault, quoted},
    job::{Party, PrivateJobSpec},
    schema, shape,
    yaml::{self, Node},
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

/// The `apiVersion` of every object.
pub const API_VERSION: &str = "veilgrid.dev/v1alpha1";

/// Bytes in a file, at most. A larger file is refused before it is read.
pub const MAX_BYTES: usize = 1 << 20;

/// The objects of a file, each kind in file order.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// The `PrivateJob`s.
    pub jobs: Vec<Object<PrivateJobSpec>>,
    /// The `PrivateDataset`s.
    pub datasets: Vec<Object<PrivateDatasetSpec>>,
    /// The `PrivacyBudget`s.
    pub budgets: Vec<Object<PrivacyBudgetSpec>>,
    /// The rest is in a cluster: that an object is named and not here is no fault.
    pub partial: bool,
}

impl Manifest {
    /// The dataset of a job's party.
    pub fn dataset_of(
        &self,
        job: &Object<PrivateJobSpec>,
        party: &Party,
    ) -> Option<&Object<PrivateDatasetSpec>> {
        let namespace = party.dataset.namespace_from(&job.namespace);
        self.datasets.iter().find(|d| d.name == party.dataset.name && d.namespace == namespace)
    }

    /// The budget that a dataset names, in its own namespace.
    pub fn budget_of(&self, dataset: &Object<PrivateDatasetSpec>) -> Option<&Object<PrivacyBudgetSpec>> {
        self.budgets.iter().find(|b| b.name == dataset.spec.budget && b.namespace == dataset.namespace)
    }
}

/// An object of a file.
#[derive(Clone, Debug)]
pub struct Object<Spec> {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, `default` where absent.
    pub namespace: String,
    /// What the user wants.
    pub spec: Spec,
    /// Where its fields stand in the file.
    pub lines: Lines,
}

/// The lines of an object's fields.
#[derive(Clone, Debug, Default)]
pub struct Lines(Option<Arc<Node>>);

impl Lines {
    /// The line, from 1, of a field path such as `spec.parties[1].name`, or of the nearest field around it.
    pub fn line(&self, path: &str) -> Option<u32> {
        self.0.as_ref().map(|node| node.line_of(path))
    }

    /// The object as it is written, with nothing filled in; `None` for one that is not from a file.
    pub fn document(&self) -> Option<Value> {
        self.0.as_ref().map(|node| node.to_json())
    }
}

/// A kind of object: its name and schema.
pub trait Kind: DeserializeOwned + JsonSchema {
    /// The `kind` of the object.
    const KIND: &'static str;
}

impl Kind for PrivateJobSpec {
    const KIND: &'static str = "PrivateJob";
}
impl Kind for PrivateDatasetSpec {
    const KIND: &'static str = "PrivateDataset";
}
impl Kind for PrivacyBudgetSpec {
    const KIND: &'static str = "PrivacyBudget";
}

impl<Spec> Object<Spec> {
    /// `namespace/name`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// `namespace/name` for a message: a name that breaks the rules may hold any character.
    pub(crate) fn shown(&self) -> String {
        self.key().escape_debug().to_string()
    }
}

impl<Spec: Kind> Object<Spec> {
    /// The object as faults name it: `PrivateJob default/hospitals`.
    pub fn title(&self) -> String {
        format!("{} {}", Spec::KIND, self.shown())
    }

    /// A fault of one of its fields.
    pub fn fault(&self, path: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault {
            object: self.title(),
            path: path.into(),
            problem: problem.into(),
            remedy: remedy.into(),
            line: self.lines.line(path),
        }
    }
}

/// The objects of a YAML text, or every fault of its form.
///
/// # Errors
/// All faults of all documents: YAML that cannot be read, unknown kinds and fields, missing fields, wrong types, two
/// objects of one name.
pub fn parse(text: &str) -> Result<Manifest, Vec<Fault>> {
    if text.len() > MAX_BYTES {
        return Err(vec![too_large(text.len() as u64)]);
    }
    let (documents, broken) = yaml::read(text);
    let mut faults: Vec<Fault> = broken
        .into_iter()
        .map(|f| Fault {
            object: String::new(),
            path: String::new(),
            problem: f.problem,
            remedy: f.remedy,
            line: f.line,
        })
        .collect();
    let mut manifest = Manifest::default();
    if documents.is_empty() && faults.is_empty() {
        faults.push(file_fault(
            "the file holds no objects",
            "write a PrivateJob, its PrivateDatasets and PrivacyBudgets",
        ));
    }
    let mut first_lines = BTreeMap::new();
    for (index, node) in documents.into_iter().enumerate() {
        document(index, node, &mut manifest, &mut first_lines, &mut faults);
    }
    if faults.is_empty() { Ok(manifest) } else { Err(faults) }
}

/// [`parse`] of bytes that may not be text.
///
/// # Errors
/// As [`parse`]; bytes that are not UTF-8 are a fault with their line.
pub fn parse_bytes(bytes: &[u8]) -> Result<Manifest, Vec<Fault>> {
    if bytes.len() > MAX_BYTES {
        return Err(vec![too_large(bytes.len() as u64)]);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(error) => {
            let good = &bytes[..error.valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            let mut fault = file_fault("not text in UTF-8", "save the file as UTF-8 text");
            fault.line = u32::try_from(line).ok();
            Err(vec![fault])
        }
    }
}

/// The fault of a file of `bytes` bytes, for a reader that knows the size before it reads.
pub fn too_large(bytes: u64) -> Fault {
    file_fault(
        &format!("the file has {bytes} bytes, more than the {MAX_BYTES} that a manifest may have"),
        "name a manifest here, and the rows' file in a PrivateDataset",
    )
}

fn file_fault(problem: &str, remedy: &str) -> Fault {
    Fault {
        object: String::new(),
        path: String::new(),
        problem: problem.into(),
        remedy: remedy.into(),
        line: None,
    }
}

/// Takes one document into the manifest, or tells its faults.
fn document(
    index: usize,
    node: Node,
    manifest: &mut Manifest,
    first_lines: &mut BTreeMap<String, u32>,
    faults: &mut Vec<Fault>,
) {
    let text = |node: Option<&Node>| node.and_then(Node::text).map(str::to_owned);
    let kind = text(node.get("kind"));
    let name = text(node.get("metadata").and_then(|metadata| metadata.get("name")));
    let namespace = text(node.get("metadata").and_then(|metadata| metadata.get("namespace")));
    let object = match (&kind, &name) {
        (Some(kind), Some(name)) if kind.len() <= 63 && name.len() <= 63 => {
            let namespace = namespace.as_deref().filter(|n| n.len() <= 63).unwrap_or("default");
            format!("{kind} {namespace}/{name}").escape_debug().to_string()
        }
        _ => format!("document {}", index + 1),
    };
    let fault = |path: &str, line: u32, problem: String, remedy: String| Fault {
        object: object.clone(),
        path: path.into(),
        problem,
        remedy,
        line: Some(line),
    };
    if !matches!(node.tree, yaml::Tree::Map(_)) {
        let remedy = "write an object: apiVersion, kind, metadata, spec";
        return faults.push(fault("", node.line, "not an object".into(), remedy.into()));
    }
    match node.get("apiVersion").map(|version| (version.text(), version.line)) {
        None => {
            let remedy = format!("write `apiVersion: {API_VERSION}`");
            return faults.push(fault("apiVersion", node.line, "is missing".into(), remedy));
        }
        Some((Some(API_VERSION), _)) => {}
        Some((version, line)) => {
            let shown = version.map_or("not text".into(), quoted);
            let remedy = format!("write `apiVersion: {API_VERSION}`; other objects belong in another file");
            return faults.push(fault("apiVersion", line, format!("is {shown}"), remedy));
        }
    }
    let before = faults.len();
    let known = &*SCHEMAS;
    let Some(schema) = kind.as_deref().and_then(|kind| known.get(kind)) else {
        let line = node.line_of("kind");
        let kinds: Vec<&str> = known.keys().copied().collect();
        let (problem, remedy) = match &kind {
            Some(kind) => (format!("is {}", quoted(kind)), shape::advice(kind, &kinds)),
            None => ("is missing".into(), format!("write one of {}", kinds.join(", "))),
        };
        return faults.push(fault("kind", line, problem, remedy));
    };
    faults
        .extend(shape::check(&node, schema).into_iter().map(|f| fault(&f.path, f.line, f.problem, f.remedy)));
    let line = node.line;
    if name.is_some()
        && let Some(first) = first_lines.insert(object.clone(), line)
    {
        let problem = format!("is in the file twice, at line {first} too");
        faults.push(fault(
            "metadata.name",
            node.line_of("metadata.name"),
            problem,
            "rename or remove one".into(),
        ));
    }
    let (Some(kind), Some(name), true) = (kind, name, faults.len() == before) else { return };
    let namespace = namespace.unwrap_or_else(|| "default".into());
    let taken = match kind.as_str() {
        PrivateJobSpec::KIND => take(&mut manifest.jobs, name, namespace, node),
        PrivateDatasetSpec::KIND => take(&mut manifest.datasets, name, namespace, node),
        _ => take(&mut manifest.budgets, name, namespace, node),
    };
    if let Err(error) = taken {
        faults.push(fault("spec", line, error.to_string(), "compare it with `veilgrid schema`".into()));
    }
}

fn take<Spec: Kind>(
    objects: &mut Vec<Object<Spec>>,
    name: String,
    namespace: String,
    node: Node,
) -> Result<(), serde_json::Error> {
    let spec = node.get("spec").map_or(Value::Null, Node::to_json);
    let spec = serde_json::from_value(spec)?;
    objects.push(Object { name, namespace, spec, lines: Lines(Some(Arc::new(node))) });
    Ok(())
}

static SCHEMAS: LazyLock<BTreeMap<&'static str, Value>> = LazyLock::new(|| {
    BTreeMap::from([
        envelope::<PrivateJobSpec>(),
        envelope::<PrivateDatasetSpec>(),
        envelope::<PrivacyBudgetSpec>(),
    ])
});

fn envelope<Spec: Kind>() -> (&'static str, Value) {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let schema = json!({
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": text,
            "kind": text,
            "metadata": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": text, "namespace": text, "labels": texts, "annotations": texts},
            },
            "spec": schema::of::<Spec>(),
            // An operator's; a file taken from a cluster may carry it.
            "status": {},
        },
    });
    (Spec::KIND, schema)
}
