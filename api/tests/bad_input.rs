//! Every fault of what a manifest says names its place, what is wrong and what to do.

use veilgrid_api::{fault::Fault, manifest::parse, planner, validate::validate};

const HOSPITALS: &str = include_str!("manifests/hospitals.yaml");

/// The faults of the example with one text replaced by another, wherever it stands.
fn faults(from: &str, to: &str) -> Vec<Fault> {
    assert!(HOSPITALS.contains(from), "{from}");
    faults_of(&HOSPITALS.replace(from, to))
}

fn faults_of(text: &str) -> Vec<Fault> {
    match parse(text) {
        Err(faults) => faults,
        Ok(manifest) => {
            let faults = validate(&manifest);
            // What is valid can be planned, and nothing else.
            let run = "0123456789abcdef0123456789abcdef";
            assert_eq!(planner::plan(&manifest, None, run).is_ok(), faults.is_empty(), "{faults:#?}");
            faults
        }
    }
}

/// The one fault, as path and the whole message.
fn only(from: &str, to: &str) -> (String, String) {
    let faults = faults(from, to);
    assert_eq!(faults.len(), 1, "{from} -> {to}: {faults:#?}");
    assert!(faults[0].line.is_some() && !faults[0].problem.is_empty() && !faults[0].remedy.is_empty());
    (faults[0].path.clone(), faults[0].to_string())
}

#[test]
fn meaning() {
    let statistic = |field: &str| format!("spec.computation.statistics{field}");
    let cases = [
        ("epsilon: 4", "epsilon: 0", "spec.privacy.epsilon".into(), "is 0; write a number from 1e-9 to 1000"),
        ("epsilon: 4", "epsilon: -1", "spec.privacy.epsilon".into(), "is -1"),
        ("epsilon: 4", "epsilon: 1e308", "spec.privacy.epsilon".into(), "is 1e308"),
        (
            "{epsilon: 10, delta: 1e-8}",
            "{epsilon: 3.5, delta: 1e-8}",
            "spec.privacy.epsilon".into(),
            "asks for 4; the PrivacyBudget default/south has 3.5 in all",
        ),
        (
            "epsilon: 4",
            "epsilon: 4\n    delta: 1e-7",
            "spec.privacy.delta".into(),
            "the PrivacyBudget default/south has 0.00000001",
        ),
        (
            "epsilon: 4",
            "epsilon: 4\n    delta: 1e-17",
            "spec.privacy.delta".into(),
            "does not cover the stated error of the noise; write at least 0.0000000000000",
        ),
        (
            "name: east\n      dataset: {name: east, namespace: east}",
            "name: north\n      dataset: {name: east, namespace: east}",
            "spec.parties[2].name".into(),
            "is the name of parties[0] too",
        ),
        (
            "dataset: {name: east, namespace: east}",
            "dataset: {name: north}",
            "spec.parties[2].dataset".into(),
            "is the dataset of parties[0] too",
        ),
        (
            "dataset: {name: east, namespace: east}",
            "dataset: {name: east}",
            "spec.parties[2].dataset".into(),
            "default/east\" is not in the file; add it, or name one of default/north",
        ),
        ("- name: east\n", "- name: East_1\n", "spec.parties[2].name".into(), "lower-case letters"),
        ("\"AB00000000000", "\"XY00000000000", "spec.parties[1].publicKey".into(), "is not hexadecimal"),
        (
            "\"AB00000000000",
            "\"AB0000000000",
            "spec.parties[1].publicKey".into(),
            "has 63 characters; write 64",
        ),
        ("[south, north]", "[south, west]", "spec.recipients[1]".into(), "is not a party of this job"),
        ("[south, north]", "[south, south]", "spec.recipients[1]".into(), "is recipients[0] too"),
        ("budget: north", "budget: nord", "spec.budget".into(), "default/nord\" is not in the file"),
        ("path: north.csv", "path: north.txt", "spec.source.path".into(), "write `format: csv`"),
        ("path: north.csv", "path: \"north\\0.csv\"", "spec.source.path".into(), "zero character"),
        ("delimiter: \";\"", "volume: {}", "spec.source.volume".into(), "has no member"),
        (
            "delimiter: \";\"",
            "volume: {claim: a, configMap: b}",
            "spec.source.volume".into(),
            "has two members",
        ),
        ("delimiter: \";\"", "delimiter: '\"'", "spec.source.delimiter".into(), "cannot separate fields"),
        ("delimiter: \";\"", "delimiter: \"\\n\"", "spec.source.delimiter".into(), "cannot separate fields"),
        ("delimiter: \";\"", "delimiter: é", "spec.source.delimiter".into(), "one ASCII character"),
        (
            "delimiter: \";\"",
            "delimiter: \";;\"",
            "spec.source.delimiter".into(),
            "has 2 characters; write 1",
        ),
        (
            "south.parquet",
            "south.parquet, delimiter: \";\"",
            "spec.source.delimiter".into(),
            "a Parquet file has no delimiter",
        ),
        (
            "column: patient, maxRows: 3",
            "column: diagnosis, maxRows: 3",
            "spec.person.column".into(),
            "is not an identifier",
        ),
        (
            "column: patient, maxRows: 3",
            "column: patent, maxRows: 3",
            "spec.person.column".into(),
            "did you mean `patient`?",
        ),
        ("name: rows by diagnosis", "name: rows", statistic("[1].name"), "is the name of statistics[0] too"),
        (
            "sum: {column: radius}",
            "sum: {column: radios}",
            statistic("[2].sum.column"),
            "did you mean `radius`?",
        ),
        ("sum: {column: radius}", "sum: {column: diagnosis}", statistic("[2].sum.column"), "is a category"),
        ("sum: {column: radius}", "weight: 1", statistic("[2]"), "\"radius sum\" asks nothing"),
        (
            "sum: {column: radius}",
            "count: {}\n        sum: {column: radius}",
            statistic("[2]"),
            "count and sum",
        ),
        (
            "groupBy: diagnosis\n        weight",
            "groupBy: radius\n        weight",
            statistic("[1].groupBy"),
            "is a number",
        ),
        (
            "edges: [0, 10, 12.5, 15, 40]",
            "edges: [0, 10, 12.5, 12.5, 40]",
            statistic("[5].histogram.edges[3]"),
            "does not rise above 12.5",
        ),
        (
            "edges: [0, 10, 12.5, 15, 40]",
            "edges: [0, 10, 10.00001, 40]",
            statistic("[5].histogram.edges[2]"),
            "the same multiple of 2^-10",
        ),
        (
            "edges: [0, 10, 12.5, 15, 40]",
            "edges: [0, 10, 41]",
            statistic("[5].histogram.edges[2]"),
            "write an edge from 0 to 40",
        ),
        (
            "edges: [0, 10, 12.5, 15, 40]",
            "edges: [10]",
            statistic("[5].histogram.edges"),
            "has 1 items; write at least 2",
        ),
        (
            "edges: [0, 250, 500, 1000, 4000]",
            "edges: [0, 4000]\n          probabilities: [0.5, 0.5]",
            statistic("[6].quantiles.probabilities[1]"),
            "does not rise",
        ),
        (
            "edges: [0, 250, 500, 1000, 4000]",
            "edges: [0, 4000]\n          probabilities: [1]",
            statistic("[6].quantiles.probabilities[0]"),
            "to 0.999999",
        ),
        (
            "edges: [0, 250, 500, 1000, 4000]",
            "edges: [0, 4000]\n          probabilities: [0.12345678]",
            statistic("[6].quantiles.probabilities[0]"),
            "six digits",
        ),
        (
            "operator: Eq, value: M",
            "operator: Lt, value: M",
            statistic("[4].where.operator"),
            "write Eq or Ne",
        ),
        (
            "operator: Eq, value: M",
            "operator: Eq, value: Q",
            statistic("[4].where.value"),
            "is not a value of the column",
        ),
        ("value: \"12.5\"", "value: \"many\"", statistic("[6].where.value"), "holds numbers"),
        ("value: \"12.5\"", "value: 50", statistic("[6].where.value"), "outside the column's bounds"),
        (
            "value: \"12.5\"",
            "value: 9223372036854775807",
            statistic("[6].where.value"),
            "outside the column's bounds",
        ),
    ];
    for (from, to, path, words) in cases {
        let (found, message) = only(from, to);
        assert_eq!(found, path, "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn an_epsilon_too_small_to_split_is_told_at_each_statistic() {
    let faults = faults("epsilon: 4", "epsilon: 0.000000008");
    let told = |fault: &&Fault| fault.problem.contains("less than 0.000000001");
    let paths: Vec<&str> = faults.iter().filter(told).map(|fault| fault.path.as_str()).collect();
    // The mean's two and the variance's three components share one billionth each.
    assert_eq!(paths, ["spec.computation.statistics[3]", "spec.computation.statistics[4]"], "{faults:#?}");
    let sum = faults[0].to_string();
    assert!(sum.contains("statistics[2]") && sum.contains("a scale above 2^40; use"), "{sum}");
    assert!(faults[1].remedy.starts_with("raise the job's epsilon"), "{}", faults[1]);
}

#[test]
fn a_columns_faults_are_told_once() {
    let north = "- {name: radius, number: {min: 0, max: 40}}\n    - {name: area, number: {min: 0, max: 4000, fractionBits: 4}}\n  maxRows: 100000\n  budget: north";
    let with =
        |radius: &str| only(north, &north.replace("- {name: radius, number: {min: 0, max: 40}}", radius));
    let (path, message) = with("- {name: radius, number: {min: 40, max: 0}}");
    // The dataset's own fault; the column also differs from the other datasets' then.
    assert_eq!(path, "spec.columns[2].number.min", "{message}");
    let (path, message) = with("- {name: other, number: {min: 0, max: 40}}");
    assert_eq!(path, "spec.computation.statistics[2].sum.column");
    assert!(
        message.contains("default/north does not declare the column \"radius\"; default/south does"),
        "{message}"
    );
    let (_, message) = with("- {name: radius, number: {min: 0, max: 41}}");
    assert!(
        message.contains("0 to 41 in PrivateDataset default/north, 0 to 40 in default/south"),
        "{message}"
    );
    let (_, message) = with("- {name: radius, number: {min: 0, max: 40, fractionBits: 9}}");
    assert!(message.contains("fractionBits 9"), "{message}");
    let (_, message) = with("- {name: radius, category: {values: [\"1\"]}}");
    assert!(message.contains("a category in PrivateDataset default/north, a number in"), "{message}");
    let (path, message) = with("- {name: radius, identifier: {}}");
    assert!(path.contains("statistics[2]") && message.contains("an identifier in"), "{message}");
    let (path, message) = with("- {name: radius}");
    assert_eq!(path, "spec.columns[2]", "{message}");
    let (path, message) = with("- {name: radius, number: {min: 0, max: 40}, identifier: {}}");
    assert!(path == "spec.columns[2]" && message.contains("number and identifier"), "{message}");
    let (path, message) = with("- {name: radius, number: {min: 0, max: 0.00001}}");
    assert!(path == "spec.columns[2].number" && message.contains("`fractionBits: 16` or more"), "{message}");
    let (path, message) = with("- {name: radius, number: {min: 0, max: 1e15}}");
    assert!(
        path == "spec.columns[2].number.fractionBits" && message.contains("`fractionBits: 1` or less"),
        "{message}"
    );
    let (path, _) = with("- {name: radius, number: {min: 0, max: 1e16, fractionBits: 0}}");
    assert_eq!(path, "spec.columns[2].number.max");
    let (path, message) =
        with("- {name: diagnosis, category: {values: [x]}}\n    - {name: radius, number: {min: 0, max: 40}}");
    assert!(path == "spec.columns[2].name" && message.contains("declared twice"), "{message}");
}

#[test]
fn a_sum_that_could_overflow_names_what_would_fit() {
    let wide = HOSPITALS
        .replace(
            "{name: radius, number: {min: 0, max: 40}}",
            "{name: radius, number: {min: 0, max: 1e9, fractionBits: 20}}",
        )
        .replace("maxRows: 100000", "maxRows: 100000000");
    let faults = faults_of(&wide);
    let paths: Vec<&str> = faults.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "spec.computation.statistics[2]",
            "spec.computation.statistics[3]",
            "spec.computation.statistics[4]"
        ]
    );
    let message = faults[0].to_string();
    assert!(message.contains("component `sum`"), "{message}");
    assert!(message.contains("its noise would need a scale above 2^40"), "{message}");
    let crowded = HOSPITALS
        .replace(
            "{name: radius, number: {min: 0, max: 40}}",
            "{name: radius, number: {min: 0, max: 1e6, fractionBits: 15}}",
        )
        .replace("maxRows: 100000", "maxRows: 1000000000");
    let faults = faults_of(&crowded);
    assert_eq!(faults.len(), 3, "{faults:#?}");
    let message = faults[0].to_string();
    assert!(message.contains("its sum and noise can pass 2^63; use `fractionBits: 11`"), "{message}");
    assert!(message.contains("`maxRows: 93"), "{message}");
    // What the message says does fit.
    let bits = crowded.replace("fractionBits: 15", "fractionBits: 11");
    assert_eq!(faults_of(&bits), []);
    assert_ne!(faults_of(&crowded.replace("fractionBits: 15", "fractionBits: 12")), []);
    let rows: u64 = message.split("`maxRows: ").nth(1).unwrap().split('`').next().unwrap().parse().unwrap();
    let with_rows =
        |rows: u64| faults_of(&crowded.replace("maxRows: 1000000000", &format!("maxRows: {rows}")));
    assert!(with_rows(rows).iter().all(|f| f.path != "spec.computation.statistics[2]"));
    assert!(with_rows(rows + 1).iter().any(|f| f.path == "spec.computation.statistics[2]"));
}

#[test]
fn too_many_cells_are_refused() {
    let words: Vec<String> = (0..1024).map(|i| format!("w{i}")).collect();
    let edges: Vec<String> = (0..4000).map(|i| i.to_string()).collect();
    let text = HOSPITALS.replace("[M, B]", &format!("[M, {}]", words[1..].join(", "))).replace(
        "edges: [0, 250, 500, 1000, 4000]",
        &format!("edges: [{}]\n        groupBy: diagnosis", edges.join(", ")),
    );
    assert_eq!(faults_of(&text), []);
    let histogram = |i: usize| {
        let edges = edges.join(", ");
        format!(
            "- name: more {i}\n        histogram: {{column: area, edges: [{edges}]}}\n        groupBy: diagnosis\n      "
        )
    };
    let more: String = (0..4).map(histogram).collect();
    let text = text.replace("- name: rows\n", &(more + "- name: rows\n"));
    let faults = faults_of(&text);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].to_string().contains("16777216 is the most"), "{}", faults[0]);
}

#[test]
fn all_faults_are_told_at_once() {
    let text = HOSPITALS
        .replace("epsilon: 4", "epsilon: 0")
        .replace("budget: east", "budget: west")
        .replace("[south, north]", "[nobody]")
        .replace("edges: [0, 10,", "edges: [0, 10, 10,");
    let mut found: Vec<(String, String)> =
        faults_of(&text).into_iter().map(|fault| (fault.object, fault.path)).collect();
    found.sort();
    let job = "PrivateJob default/hospitals";
    let expected = [
        ("PrivateDataset east/east", "spec.budget"),
        (job, "spec.computation.statistics[5].histogram.edges[2]"),
        (job, "spec.privacy.epsilon"),
        (job, "spec.recipients[0]"),
    ];
    assert_eq!(found, expected.map(|(object, path)| (object.to_owned(), path.to_owned())));
}

#[test]
fn a_fault_names_its_line() {
    let at = |text: &str| HOSPITALS.lines().position(|line| line.contains(text)).unwrap() as u32 + 1;
    assert_eq!(faults("epsilon: 4", "epsilon: 0")[0].line, Some(at("epsilon: 4")));
    assert_eq!(faults("budget: east", "budget: west")[0].line, Some(at("budget: east")));
    assert_eq!(faults("epsilon: 4", "epsilon: no")[0].line, Some(at("epsilon: 4")));
}

#[test]
fn an_anchor_within_its_document_is_followed() {
    let text = HOSPITALS.replace("dataset: {name: north}", "dataset: &north {name: north}");
    let text = text.replace("dataset: {name: south}", "dataset: *north");
    let faults = faults_of(&text);
    assert_eq!((faults.len(), faults[0].path.as_str()), (1, "spec.parties[1].dataset"), "{faults:#?}");
}

#[test]
fn a_status_is_tolerated() {
    assert_eq!(
        faults(
            "spec: {epsilon: 10, delta: 1e-8}",
            "spec: {epsilon: 10, delta: 1e-8}\nstatus: {spent: [1, x]}"
        ),
        []
    );
}
