use super::*;
use std::fs;

/// Marks the line that a fault must name.
const HERE: &str = "# here";

fn hospitals() -> String {
    fs::read_to_string(example()).unwrap()
}

/// `check` of a manifest with this text.
fn check(text: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("job.yaml"), text).unwrap();
    veilgrid(folder.path(), &["check", "job.yaml"])
}

/// `check` refuses the text with these words, at the line that has `place`.
#[track_caller]
fn refused(text: &str, place: &str, words: &[&str]) {
    let line = text.lines().position(|line| line.contains(place)).expect("the text has the place") + 1;
    check(text).fails(Exit::Usage, &[&format!("job.yaml:{line}: ")]).fails(Exit::Usage, words);
}

/// `check` refuses the example with one text replaced, at the line that `to` marks.
#[track_caller]
fn fault(from: &str, to: &str, words: &[&str]) {
    refused(&changed(&hospitals(), from, to), HERE, words);
}

#[test]
fn the_summary_says_what_would_be_learned_and_at_which_cost() {
    let folder = tempfile::tempdir().unwrap();
    let file = example().display().to_string();
    veilgrid(folder.path(), &["check", &file])
        .succeeds(&[
            "has no faults",
            "job default/hospitals",
            "south.parquet",
            "3 of 10",
            "charges epsilon 3",
        ])
        .succeeds(&["count where worst_radius >= ", "/ rows", "ranks"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written by looking");

    let summary = veilgrid(folder.path(), &["check", &file, "--json", "--job", "hospitals"]).json();
    let job = &summary["jobs"][0];
    assert_eq!(
        (&summary["ok"], &job["epsilon"], &job["parties"][0]["runs"]),
        (&true.into(), &"3".into(), &3.into())
    );
    let statistics = job["statistics"].as_array().unwrap();
    assert_eq!(statistics.len(), 8);
    assert_eq!((&statistics[6]["groups"], &statistics[6]["figures"]), (&2.into(), &9.into()));
}

/// The half widths beside what the laws of the noise give by hand: three samples of scale b have the standard
/// deviation sqrt(6) b, and 95 % lie within about twice that.
#[test]
fn half_widths_are_in_the_columns_units() {
    let summary = veilgrid(Path::new("."), &["check", &example().display().to_string(), "--json"]).json();
    let of = |index: usize| &summary["jobs"][0]["statistics"][index]["halfWidth"];
    let width = |index: usize| of(index)["value"].as_f64().unwrap();
    let near = |found: f64, deviation: f64| (1.9..2.4).contains(&(found / deviation));
    let six = 6f64.sqrt();
    assert!(near(width(0), six / 0.2), "rows: {}", width(0));
    assert!(near(width(3), six * 2500.0 / 0.3), "a sum of areas up to 2500: {}", width(3));
    // A centred sum has half of the bounds' distance as its sensitivity, half of the epsilon, and 97.5 %.
    assert!((2.1..2.7).contains(&(width(4) / (six * 10.0 / 0.3))), "a mean of radii: {}", width(4));
    assert_eq!((&of(4)["unit"], &of(4)["perRow"]), (&"column".into(), &true.into()));
    assert_eq!((&of(5)["unit"], &of(7)["unit"]), (&"columnSquared".into(), &"rank".into()));
}

#[test]
fn an_epsilon_that_is_none() {
    for (epsilon, words) in [("0", "is 0; "), ("-1", "is -1"), (".nan", "finite"), ("1e308", "is 1e308")] {
        let text = changed(&hospitals(), "epsilon: 3 #", &format!("epsilon: {epsilon} #"));
        let words = words.trim_end_matches("; ");
        refused(&text, &format!("epsilon: {epsilon} #"), &["spec.privacy.epsilon", words]);
    }
}

#[test]
fn bounds_that_are_reversed() {
    fault(
        "{name: mean_radius, number: {min: 5, max: 25}}",
        "{name: mean_radius, number: {min: 25, max: 5}} # here",
        &["PrivateDataset default/north: spec.columns[1].number", "25"],
    );
}

#[test]
fn parties_and_datasets_that_do_not_fit() {
    fault(
        "- name: south\n",
        "- name: north # here\n",
        &["spec.parties[1].name", "is the name of parties[0] too"],
    );
    fault(
        "dataset: {name: south}\n",
        "dataset: {name: north} # here\n",
        &["spec.parties[1].dataset", "is the dataset of parties[0] too"],
    );
    fault(
        "  privacy:\n",
        "    - name: east\n      dataset: {name: east} # here\n  privacy:\n",
        &["spec.parties[3].dataset", "is not in the file", "add it, or name one of default/north"],
    );
}

#[test]
fn budgets_that_are_missing_or_too_small() {
    fault("  budget: south\n", "  budget: east # here\n", &["spec.budget", "is not in the file"]);
    let small = changed(&hospitals(), "spec:\n  epsilon: 10\n", "spec:\n  epsilon: 2\n");
    refused(&small, "epsilon: 3 #", &["asks for 3", "PrivacyBudget default/north has 2 in all"]);
}

#[test]
fn a_sum_that_could_leave_the_ring() {
    let text =
        hospitals().replace("max: 2500, ", "max: 1e9, ").replace("maxRows: 10000", "maxRows: 1000000000");
    refused(&text, "- name: total area", &["its sum and noise can pass 2^63", "maxRows"]);
}

#[test]
fn fields_that_are_unknown_or_missing() {
    fault("  maxRows: 10000\n", "  maxRow: 10000 # here\n", &["spec.maxRow", "did you mean `maxRows`?"]);
    let text = hospitals();
    let (head, west) = text.split_at(text.find("  source: {path: west.parquet}").unwrap());
    let column = "    - {name: mean_area, number: {min: 0, max: 2500, fractionBits: 4}}\n";
    let text = format!("{head}{}", changed(west, column, ""));
    check(&text).fails(Exit::Usage, &["default/west does not declare the column \"mean_area\""]);
}

#[test]
fn all_faults_are_told_at_once_and_as_json() {
    let text = changed(&hospitals(), "epsilon: 3 #", "epsilon: 0 #");
    let text = changed(&text, "- name: south\n", "- name: north\n");
    check(&text).fails(Exit::Usage, &["job.yaml has 2 faults", "parties[1].name", "privacy.epsilon"]);

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("job.yaml"), &text).unwrap();
    let ran = veilgrid(folder.path(), &["check", "job.yaml", "--json"]);
    ran.ends(Exit::Usage);
    assert_eq!(ran.err(), "", "the JSON says it all");
    let answer = ran.json();
    assert_eq!(answer["ok"], false);
    let faults = answer["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 2);
    for fault in faults {
        assert!(fault["line"].is_u64() && fault["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()));
    }
}

#[test]
fn files_that_are_no_manifest() {
    refused("kind: PrivateJob\nspec: [1, 2\n# end", "spec", &["not YAML"]);
    check("").fails(Exit::Usage, &["holds no objects", "write a PrivateJob"]);
    check("kind: PrivateJob\n").fails(Exit::Usage, &["apiVersion: is missing"]);

    let folder = tempfile::tempdir().unwrap();
    let huge = fs::File::create(folder.path().join("huge.yaml")).unwrap();
    huge.set_len(100 << 20).unwrap();
    veilgrid(folder.path(), &["check", "huge.yaml"]).fails(Exit::Usage, &["huge.yaml", "104857600 bytes"]);
    // A file without an end, and without a size to ask for.
    veilgrid(folder.path(), &["check", "/dev/zero"]).fails(Exit::Usage, &["more than the 1048576"]);
    fs::write(folder.path().join("latin.yaml"), b"# caf\xe9\n").unwrap();
    veilgrid(folder.path(), &["check", "latin.yaml"]).fails(Exit::Usage, &["latin.yaml:1: ", "UTF-8"]);
    veilgrid(folder.path(), &["check", "absent.yaml"])
        .fails(Exit::Usage, &["absent.yaml: ", "give the path of a manifest"]);
    veilgrid(folder.path(), &["check", "."]).fails(Exit::Usage, &["give the path of a manifest"]);
}

#[test]
fn one_job_of_several() {
    let (job, rest) =
        hospitals().split_once("---\n").map(|(job, rest)| (job.to_owned(), rest.to_owned())).unwrap();
    let other = changed(&job, "name: hospitals", "name: other");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jobs.yaml"), [&job, &other, &rest].map(String::as_str).join("\n---\n"))
        .unwrap();
    let jobs = |arguments: &[&str]| veilgrid(folder.path(), &[&["check", "jobs.yaml"], arguments].concat());
    jobs(&[]).succeeds(&["job default/hospitals", "job default/other"]);
    let one = jobs(&["--job", "other"]);
    assert!(!one.succeeds(&["job default/other"]).out().contains("default/hospitals"));
    jobs(&["--job", "third"]).fails(Exit::Usage, &["no PrivateJob is named \"third\"", "default/other"]);
    // Datasets and budgets alone are no fault.
    fs::write(folder.path().join("rows.yaml"), &rest).unwrap();
    veilgrid(folder.path(), &["check", "rows.yaml"]).succeeds(&["has no faults", "no PrivateJob"]);
}
