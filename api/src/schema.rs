//! The schemas of the objects, in the form that Kubernetes asks for.

use crate::{budget::PrivacyBudgetSpec, dataset::PrivateDatasetSpec, job::PrivateJobSpec, manifest::Kind};
use schemars::{Schema, generate::SchemaSettings, transform::transform_subschemas};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::LazyLock};

/// The schema of a kind's spec, with every part in its place.
pub(crate) fn of<Spec: Kind>() -> &'static Value {
    // Every check of a manifest asks for them.
    static SCHEMAS: LazyLock<BTreeMap<&str, Value>> = LazyLock::new(|| {
        [made::<PrivateJobSpec>(), made::<PrivateDatasetSpec>(), made::<PrivacyBudgetSpec>()].into()
    });
    &SCHEMAS[Spec::KIND]
}

fn made<Spec: Kind>() -> (&'static str, Value) {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    (Spec::KIND, settings.into_generator().into_root_schema_for::<Spec>().to_value())
}

/// Rewrites a schema, inside out, into a structural one.
///
/// Formats that the API server does not know go, since it warns of them, and their ranges stay. An optional field is
/// one that may be left out, not one that may be null. Unknown fields are pruned or refused by the server's own rule.
/// A choice of words is an enumeration, and what its words mean joins the description.
pub(crate) fn structural(schema: &mut Schema) {
    transform_subschemas(&mut structural, schema);
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("format");
    if object.get("additionalProperties") == Some(&Value::Bool(false)) {
        object.remove("additionalProperties");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(mut choices)) = object.remove("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(only)] = &mut choices[..] {
            for (name, value) in std::mem::take(only) {
                // What the field says goes before what its type says.
                object.entry(name).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(choices)) = object.remove("oneOf") {
        enumerate(object, &choices);
    }
}

/// Writes a choice of constants as an enumeration of words.
fn enumerate(object: &mut Map<String, Value>, choices: &[Value]) {
    let mut words = Vec::new();
    let mut meanings = String::new();
    for choice in choices {
        let Some(word) = choice["const"].as_str() else { continue };
        words.push(Value::from(word));
        if let Some(meaning) = choice["description"].as_str() {
            meanings += &format!("\n{word}: {meaning}");
        }
    }
    object.insert("type".into(), "string".into());
    object.insert("enum".into(), words.into());
    let description = object.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{description}\n{meanings}");
    object.insert("description".into(), description.trim().into());
}
