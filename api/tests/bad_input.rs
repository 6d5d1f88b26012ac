//! Every fault of what a manifest says names its place, what is wrong and what to do.

mod cases;

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

#[test]
fn meaning() {
    for case in cases::read(include_str!("manifests/bad_input.json")) {
        let faults = faults_of(&case.text());
        assert_eq!(faults.len(), 1 + case.others, "{case:?}: {faults:#?}");
        let meant = |fault: &&Fault| fault.path == case.path && fault.to_string().contains(&case.says);
        assert!(faults.iter().any(|fault| meant(&fault)), "{case:?}: {faults:#?}");
        for fault in &faults {
            assert!(
                fault.line.is_some() && !fault.problem.is_empty() && !fault.remedy.is_empty(),
                "{fault:?}"
            );
        }
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
fn what_pods_ask_of_nodes() {
    let with = |lines: &str| {
        let faults = faults("  recipients: [south", &format!("  {lines}\n  recipients: [south"));
        assert_eq!(faults.len(), 1, "{lines}: {faults:#?}");
        (faults[0].path.clone(), faults[0].to_string())
    };
    let nodes = |expression: &str| {
        with(&format!(
            "placement: {{affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{{matchExpressions: [{expression}]}}]}}}}}}}}"
        ))
    };
    let term = "spec.placement.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]";
    for (lines, path, words) in [
        (
            "placement: {topologySpread: [{maxSkew: 1, topologyKey: zone}]}",
            "spec.placement.topologySpread",
            "all datasets in one namespace",
        ),
        (
            "placement: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: \"a zone\"}]}}}",
            "spec.placement.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
            "is not the key of a label",
        ),
        (
            "placement: {affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: B/zone}}]}}}",
            "spec.placement.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey",
            "is not the key of a label",
        ),
    ] {
        let (found, message) = with(lines);
        assert!(found == path && message.contains(words), "{found}: {message}");
    }
    for (expression, field, words) in [
        ("{key: zone, operator: In}", "values", "has 0 items; write values for In"),
        ("{key: zone, operator: Exists, values: [a]}", "values", "none for Exists"),
        ("{key: zone, operator: Gt, values: [\"1\", \"2\"]}", "values", "write one whole number"),
        ("{key: zone, operator: Lt, values: [a]}", "values", "\"a\" is none"),
        ("{key: -zone, operator: Exists}", "key", "is not the key of a label"),
        ("{key: zone, operator: Is}", "operator", "known are In, NotIn"),
    ] {
        let (found, message) = nodes(expression);
        assert!(found == format!("{term}.{field}") && message.contains(words), "{found}: {message}");
    }
    let many: Vec<String> = (0..33).map(|i| format!("l{i}: x")).collect();
    let (path, message) = with(&format!("placement: {{nodeSelector: {{{}}}}}", many.join(", ")));
    assert!(path == "spec.placement.nodeSelector" && message.contains("write at most 32"), "{message}");
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
fn a_status_is_tolerated() {
    assert_eq!(
        faults(
            "spec: {epsilon: 10, delta: 1e-8}",
            "spec: {epsilon: 10, delta: 1e-8}\nstatus: {spent: [1, x]}"
        ),
        []
    );
}
