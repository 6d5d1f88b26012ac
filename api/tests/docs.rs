//! `docs/manifest.md` names every field there is, and its example is valid.

use std::{fs, path::Path};
use veilgrid_api::{
    budget::PrivacyBudgetSpec, dataset::PrivateDatasetSpec, job::PrivateJobSpec, manifest::parse, planner,
};

fn manual() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/manifest.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_example_can_be_planned() {
    let manual = manual();
    let examples: Vec<&str> =
        manual.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(examples.len(), 1);
    let manifest = parse(examples[0]).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let plan = planner::plan(&manifest, None, "00000000000000000000000000000000");
    assert_eq!(plan.unwrap_or_else(|faults| panic!("{faults:#?}")).statistics.len(), 6);
}

#[test]
fn the_other_places_of_the_example_in_a_cluster_are_valid() {
    let text = include_str!("../../examples/hospitals/cluster.yaml");
    let others: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  # result: ")).collect();
    assert_eq!(others.len(), 2);
    for other in others {
        let text = text.replace("{configMap: hospitals-result}", other);
        let manifest = parse(&text).unwrap_or_else(|faults| panic!("{faults:#?}"));
        let place = manifest.jobs[0].spec.result.as_ref().unwrap();
        assert!(place.needs_delivery(), "{other}");
        let plan = planner::plan(&manifest, None, "00000000000000000000000000000000");
        assert!(plan.is_ok(), "{plan:#?}");
    }
}

#[test]
fn every_field_is_explained() {
    let manual = manual();
    let section = |title: &str| {
        let rest = manual.split(&format!("\n## {title}\n")).nth(1).unwrap();
        rest.split("\n## ").next().unwrap().to_owned()
    };
    let schemas = [
        ("PrivateJob", schemars::schema_for!(PrivateJobSpec)),
        ("PrivateDataset", schemars::schema_for!(PrivateDatasetSpec)),
        ("PrivacyBudget", schemars::schema_for!(PrivacyBudgetSpec)),
    ];
    for (kind, schema) in schemas {
        let section = section(kind);
        let root = schema.to_value();
        let mut paths = Vec::new();
        fields(&root, &root, "spec", &mut paths);
        assert!(paths.len() > 1);
        for path in paths {
            // Statistics have a table of their own.
            let path = path.strip_prefix("spec.computation.statistics[].").unwrap_or(&path);
            assert!(section.contains(&format!("| `{path}` |")), "{kind} {path} is not in docs/manifest.md");
        }
    }
}

/// Every field of a schema, following its references.
fn fields(root: &serde_json::Value, schema: &serde_json::Value, path: &str, paths: &mut Vec<String>) {
    let target =
        schema["$ref"].as_str().and_then(|reference| root.pointer(reference.trim_start_matches('#')));
    let schema = target.unwrap_or(schema);
    for choice in schema["anyOf"].as_array().into_iter().flatten() {
        fields(root, choice, path, paths);
    }
    if schema["items"].is_object() {
        fields(root, &schema["items"], &format!("{path}[]"), paths);
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        paths.push(path.clone());
        fields(root, inner, &path, paths);
    }
}
