//! The committed custom resource definitions: what the types say now, and what an API server takes.
#![cfg(feature = "crd")]

use serde_json::Value;
use veilgrid_api::crd;

#[test]
fn committed_definitions_are_what_the_types_say() {
    let committed: Vec<(&str, &str)> = crd::CRDS.to_vec();
    let now = crd::generate();
    let now: Vec<(&str, &str)> = now.iter().map(|(kind, _, text)| (kind.as_str(), text.as_str())).collect();
    assert!(committed == now, "run: cargo run -p veilgrid-api --features crd --example crds");
}

#[test]
fn definitions_are_structural() {
    for definition in crd::definitions() {
        let version = &definition.spec.versions[0];
        let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref()).unwrap();
        let schema = serde_json::to_value(schema).unwrap();
        let kind = &definition.spec.names.kind;
        walk(&schema["properties"]["spec"], &format!("{kind}.spec"));
        let has_status = schema["properties"].get("status").is_some();
        assert_eq!(has_status, kind != "PrivateDataset");
        if has_status {
            walk(&schema["properties"]["status"], &format!("{kind}.status"));
        }
        let served = version.subresources.as_ref().is_some_and(|served| served.status.is_some());
        assert!(served == has_status && version.served && version.storage);
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
