//! The committed custom resource definitions: what the types say now, and what an API server takes.
#![cfg(feature = "crd")]

use serde_json::Value;
use std::{fs, path::Path};
use veilgrid_api::crd;

const REMEDY: &str = "run: cargo run -p veilgrid-api --features crd --example crds";

#[test]
fn committed_definitions_are_what_the_types_say() {
    let committed: Vec<(&str, &str)> = crd::CRDS.to_vec();
    let now = crd::generate();
    let now: Vec<(&str, &str)> = now.iter().map(|(kind, _, text)| (kind.as_str(), text.as_str())).collect();
    assert!(committed == now, "{REMEDY}");
}

#[test]
fn the_committed_reference_has_every_field_and_rule() {
    let now = crd::reference();
    let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md"));
    assert!(committed.is_ok_and(|committed| committed == now), "docs/api.md is stale; {REMEDY}");
    for definition in crd::definitions() {
        let section = format!("\n## {}\n", definition.spec.names.kind);
        let section = now.split(&section).nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let schema = serde_json::to_value(&definition.spec.versions[0].schema).unwrap();
        let mut fields = 0;
        for part in ["spec", "status"] {
            fields += documented(&schema["openAPIV3Schema"]["properties"][part], section);
        }
        assert!(fields > 5, "{section}");
    }
}

/// Counts the fields of a schema, each of which has a row, and looks for the message of each rule.
fn documented(schema: &Value, section: &str) -> usize {
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        let message = rule["message"].as_str().or(rule["messageExpression"].as_str()).unwrap();
        assert!(section.contains(message), "no rule says: {message}");
    }
    let mut fields = if schema["items"].is_object() { documented(&schema["items"], section) } else { 0 };
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        assert!(section.contains(&format!("\n| `{name}` | ")), "{name} has no row");
        fields += 1 + documented(inner, section);
    }
    fields
}

#[test]
fn definitions_are_structural() {
    for definition in crd::definitions() {
        let version = &definition.spec.versions[0];
        let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref()).unwrap();
        let schema = serde_json::to_value(schema).unwrap();
        let kind = &definition.spec.names.kind;
        walk(&schema["properties"]["spec"], &format!("{kind}.spec"));
        walk(&schema["properties"]["status"], &format!("{kind}.status"));
        let served = version.subresources.as_ref().is_some_and(|served| served.status.is_some());
        assert!(served && version.served && version.storage);
        assert_eq!(definition.spec.names.categories.as_deref(), Some(&["veilgrid".to_owned()][..]));
    }
}

/// What an API server asks of each part, and that each part is bounded and explained.
fn walk(schema: &Value, path: &str) {
    let known = [
        "default",
        "additionalProperties",
        "description",
        "enum",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "pattern",
        "properties",
        "required",
        "type",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-validations",
    ];
    for keyword in schema.as_object().unwrap().keys() {
        assert!(known.contains(&keyword.as_str()), "{path}: {keyword}");
    }
    if !path.ends_with("[]") {
        assert!(schema["description"].is_string(), "{path} has no description");
    }
    match schema["type"].as_str() {
        Some("object") if schema["additionalProperties"].is_object() => {
            assert!(schema["maxProperties"].is_u64(), "{path} is unbounded");
        }
        Some("object") => {
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                walk(inner, &format!("{path}.{name}"));
            }
        }
        Some("array") => {
            assert!(schema["maxItems"].is_u64(), "{path} is unbounded");
            walk(&schema["items"], &format!("{path}[]"));
        }
        Some("boolean") => {}
        Some("string") => {
            assert!(schema["maxLength"].is_u64() || schema["enum"].is_array(), "{path} is unbounded")
        }
        Some("integer") => assert!(schema["minimum"].is_number() && schema["maximum"].is_number(), "{path}"),
        // Edges are bounded by their column.
        Some("number") if path.ends_with("edges[]") => {}
        Some("number") => assert!(schema["minimum"].is_number() && schema["maximum"].is_number(), "{path}"),
        None => assert_eq!(schema["x-kubernetes-int-or-string"], Value::Bool(true), "{path} has no type"),
        other => panic!("{path}: {other:?}"),
    }
}
