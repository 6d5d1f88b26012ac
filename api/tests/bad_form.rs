//! Every fault of a manifest's form names its place, what is wrong and what to do.

use veilgrid_api::{
    fault::Fault,
    manifest::{MAX_BYTES, parse, parse_bytes},
};

const HOSPITALS: &str = include_str!("manifests/hospitals.yaml");

/// The faults of the example with one text replaced by another, wherever it stands.
fn faults(from: &str, to: &str) -> Vec<Fault> {
    assert!(HOSPITALS.contains(from), "{from}");
    parse(&HOSPITALS.replace(from, to)).unwrap_err()
}

#[test]
fn form() {
    // What is replaced, by what, the field, and words of the message.
    let cases = [
        (
            "  recipients: [south, north]",
            "  recipeints: [south]",
            "spec.recipeints",
            "did you mean `recipients`?",
        ),
        (
            "    epsilon: 4\n",
            "    epsilon: 4\n    epsilon: 5\n",
            "",
            "\"epsilon\" is set again; line 15 sets it",
        ),
        ("epsilon: 4", "epsilon: lots", "spec.privacy.epsilon", "is text, not a number"),
        ("epsilon: 4", "epsilon: \"4\"", "spec.privacy.epsilon", "remove the quotes"),
        ("epsilon: 4", "epsilon: .nan", "spec.privacy.epsilon", "write a finite number"),
        ("epsilon: 4", "epsilon: 1e999", "spec.privacy.epsilon", "write a finite number"),
        ("epsilon: 4", "epsilon: 0x4", "spec.privacy.epsilon", "write plain decimal digits"),
        ("epsilon: 4", "epsilon:", "spec.privacy.epsilon", "is empty"),
        ("epsilon: 4", "delta: 1e-9", "spec.privacy.epsilon", "is missing"),
        (
            "count: {}\n        groupBy",
            "count:\n        groupBy",
            "spec.computation.statistics[1].count",
            "write `{}`",
        ),
        ("operator: Ge", "operator: ge", "spec.computation.statistics[6].where.operator", "did you mean"),
        ("operator: Ge", "operator: GreaterThan", "spec.computation.statistics[6].where.operator", "Gt, Ge"),
        (
            "value: \"12.5\"",
            "value: 12.5",
            "spec.computation.statistics[6].where.value",
            "in quotes: \"12.5\"",
        ),
        ("weight: 2", "weight: 1.5", "spec.computation.statistics[1].weight", "not a whole number"),
        ("weight: 2", "weight: 0", "spec.computation.statistics[1].weight", "from 1 to 1000"),
        (
            "fractionBits: 4}}\n  maxRows: 100000\n  budget: north",
            "fractionBits: 31}}\n  maxRows: 100000\n  budget: north",
            "spec.columns[3].number.fractionBits",
            "from 0 to 30",
        ),
        ("maxRows: 100000\n  budget: north", "maxRows: -1\n  budget: north", "spec.maxRows", "from 1 to"),
        ("kind: PrivateJob", "kind: PrivateJobs", "kind", "did you mean `PrivateJob`?"),
        ("v1alpha1\nkind: PrivateJob", "v1\nkind: PrivateJob", "apiVersion", "veilgrid.dev/v1alpha1"),
        ("  labels: {region: north}", "  finalizers: []", "metadata.finalizers", "unknown field"),
        ("format: parquet", "format: xls", "spec.source.format", "csv, parquet"),
        (
            "spec: {epsilon: 10}\n---\napiVersion: veilgrid.dev/v1alpha1\nkind: PrivacyBudget\nmetadata: {name: south}",
            "spec: {epsilon: 10}\n---\napiVersion: veilgrid.dev/v1alpha1\nkind: PrivacyBudget\nmetadata: {name: north}",
            "metadata.name",
            "in the file twice",
        ),
        ("&columns", "!!seq", "", "a YAML tag"),
        ("  recipients: [south, north]", "  recipients: [south, north", "", "not YAML"),
        ("spec: {epsilon: 10}\n---\n", "spec: {epsilon: 10}\n---\njust words\n---\n", "", "not an object"),
    ];
    for (from, to, path, words) in cases {
        let faults = faults(from, to);
        let found =
            faults.iter().find(|f| f.path == path && f.to_string().contains(words) && f.line.is_some());
        assert!(found.is_some(), "{from} -> {to}: {faults:#?}");
        assert_eq!(faults.len(), faults.iter().filter(|f| f.path == path || f.line.is_some()).count());
    }
}

#[test]
fn words_that_kubernetes_reads_otherwise_must_be_quoted() {
    let faults = faults(
        "values: [M, B]}}\n    - {name: radius, number: {min: 0, max: 40}}\n    - {name: area, number: {min: 0, max: 4000, fractionBits: 4}}\n  maxRows: 100000\n  budget: north",
        "values: [M, no]}}\n    - {name: radius, number: {min: 0, max: 40}}\n    - {name: area, number: {min: 0, max: 4000, fractionBits: 4}}\n  maxRows: 100000\n  budget: north",
    );
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].path, "spec.columns[1].category.values[1]");
    assert!(faults[0].remedy.contains("write it in quotes, \"no\""), "{}", faults[0]);
}

#[test]
fn files_that_are_no_manifest_are_refused_at_once() {
    let refuse = |bytes: &[u8], words: &str| {
        let faults = parse_bytes(bytes).unwrap_err();
        assert!(faults[0].to_string().contains(words), "{}", faults[0]);
    };
    refuse(b"", "holds no objects");
    refuse(b"# only a comment\n---\n", "holds no objects");
    refuse(b"\x89PNG\r\n\x1a\n", "not text in UTF-8");
    refuse(b"id;name\n1;\"x\n", "not an object");
    refuse(b"a: [1, 2\n", "not YAML");
    refuse(b"\t- x: 1", "not");
    refuse(&vec![b' '; MAX_BYTES + 1], "more than the 1048576");
    refuse(&vec![b'['; 100_000], "not YAML");
    refuse("{a: ".repeat(10_000).as_bytes(), "not YAML");
    refuse("- ".repeat(10_000).as_bytes(), "not YAML");
    refuse("? ".repeat(10_000).as_bytes(), "not YAML");
    refuse("a: *nothing".as_bytes(), "not YAML");
    refuse("a: &a [*a]".as_bytes(), "");
}

#[test]
fn alias_bombs_are_refused() {
    let mut laughs = String::from("a0: &a0 [[], [], [], [], [], [], [], [], []]\n");
    for i in 1..12 {
        let alias = format!("*a{}", i - 1);
        laughs += &format!("a{i}: &a{i} [{}]\n", [alias.as_str(); 9].join(", "));
    }
    let faults = parse(&laughs).unwrap_err();
    assert!(faults[0].to_string().contains("too many values"), "{}", faults[0]);
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a, ".repeat(100_000));
    let faults = parse(&text).unwrap_err();
    assert!(faults[0].to_string().contains("aliases"), "{}", faults[0]);
}
