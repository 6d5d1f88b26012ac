//! Whole jobs through `veilgrid run`: results, charges, refusals, and what stops a job before it starts.

mod common;

use common::{NAMES, World, balance, files, holds, ledgers, manifest, run_command, veilgrid};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const HOSPITALS: [&str; 3] = ["north", "south", "west"];

type Row = BTreeMap<String, String>;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hospitals")
}

/// The hospitals' rows, all together in the clear.
fn clear_rows() -> Vec<Row> {
    let text = fs::read_to_string(example().join("north.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let names: Vec<String> = lines.next().unwrap().collect();
    let mut rows: Vec<Row> = lines.map(|fields| names.iter().cloned().zip(fields).collect()).collect();
    for name in ["south.parquet", "west.parquet"] {
        let file = SerializedFileReader::new(fs::File::open(example().join(name)).unwrap()).unwrap();
        for row in file.get_row_iter(None).unwrap() {
            let text = |field: &Field| match field {
                Field::Str(text) => text.clone(),
                Field::Double(value) => value.to_string(),
                other => panic!("{other:?}"),
            };
            let row = row.unwrap();
            rows.push(row.get_column_iter().map(|(name, field)| (name.clone(), text(field))).collect());
        }
    }
    rows
}

/// The figures of the example's statistics in the clear, by `statistic/group/index`.
fn truth(rows: &[Row]) -> BTreeMap<String, f64> {
    let numbers = |rows: &[&Row], column: &str| {
        rows.iter().map(|row| row[column].parse().unwrap()).collect::<Vec<f64>>()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let all: Vec<&Row> = rows.iter().collect();
    let mut truth = BTreeMap::new();
    let mut tell = |name: &str, group: &str, index: usize, value: f64| {
        truth.insert(format!("{name}/{group}/{index}"), value);
    };
    tell("patients", "-", 0, rows.len() as f64);
    let mut areas = numbers(&all, "mean_area");
    tell("total area", "-", 0, areas.iter().sum());
    let points = numbers(&all, "worst_concave_points");
    let squares: Vec<f64> = points.iter().map(|point| (point - mean(&points)).powi(2)).collect();
    tell("variance of concave points", "-", 0, mean(&squares));
    areas.sort_by(f64::total_cmp);
    for (index, share) in [0.25, 0.5, 0.75].into_iter().enumerate() {
        tell("area quartiles", "-", index, areas[(share * areas.len() as f64).ceil() as usize - 1]);
    }
    for group in ["malignant", "benign"] {
        let of: Vec<&Row> = all.iter().copied().filter(|row| row["diagnosis"] == group).collect();
        tell("patients by diagnosis", group, 0, of.len() as f64);
        let large = numbers(&of, "worst_radius").iter().filter(|radius| **radius >= 16.8).count();
        tell("patients with large nuclei", group, 0, large as f64);
        let radii = numbers(&of, "mean_radius");
        tell("mean radius", group, 0, mean(&radii));
        let edges = [5.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 25.0];
        for (bin, edge) in edges.windows(2).enumerate() {
            // Values are clipped to the bounds, which are the outer edges.
            let within =
                |radius: f64| radius.clamp(5.0, 24.999) >= edge[0] && radius.clamp(5.0, 24.999) < edge[1];
            let count = radii.iter().filter(|radius| within(**radius)).count();
            tell("radius", group, bin, count as f64);
        }
    }
    truth
}

/// Fails where a figure is implausibly far from the clear one: five times as far as an interval that holds with 95 % says.
/// That much noise has a probability below 1e-7.
fn assert_plausible(result: &Value, truth: &BTreeMap<String, f64>) {
    let mut seen = 0;
    for statistic in result["statistics"].as_array().unwrap() {
        for group in statistic["groups"].as_array().unwrap() {
            for (index, figure) in group["values"].as_array().unwrap().iter().enumerate() {
                let name = format!(
                    "{}/{}/{index}",
                    statistic["name"].as_str().unwrap(),
                    group["group"].as_str().unwrap_or("-")
                );
                let clear = truth[&name];
                let (value, low, high) = (
                    figure["value"].as_f64().unwrap(),
                    figure["interval"][0].as_f64().unwrap(),
                    figure["interval"][1].as_f64().unwrap(),
                );
                assert!(low <= value && value <= high, "{name}: {figure}");
                let room = 5.0 * (high - low);
                assert!((value - clear).abs() <= room, "{name}: {figure} and {clear} in the clear");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, truth.len());
}

/// The run that `result.json` and every party's copy of it come from.
fn assert_one_result(state: &Path, out: &Path) -> Value {
    let bytes = fs::read(out.join("result.json")).unwrap();
    let result: Value = serde_json::from_slice(&bytes).unwrap();
    let run = result["run"].as_str().unwrap();
    let receipt = fs::read(out.join("receipt.json")).unwrap();
    for party in HOSPITALS {
        let folder = state.join(party).join("results").join(run);
        assert!(fs::read(folder.join("result.json")).unwrap() == bytes, "{party} has another result");
        assert!(fs::read(folder.join("receipt.json")).unwrap() == receipt, "{party} has another receipt");
    }
    result
}

#[test]
fn the_example_runs_three_times_and_the_fourth_is_refused() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let job = example().join("job.yaml");
    let go = |out: &str, more: &[&str]| -> common::Said {
        run_command(&job, &state, &folder.path().join(out), more).output().unwrap().into()
    };
    let truth = truth(&clear_rows());
    let spent = |party: &str| balance(&state, party).spent_epsilon.to_string();

    let first = go("first", &[]).expect(0);
    holds(
        &first.stdout,
        &["patients", "malignant", "north", "south", "west", "epsilon 7 of 10", "result.json"],
    );
    let one = assert_one_result(&state, &folder.path().join("first"));
    assert_plausible(&one, &truth);
    HOSPITALS.iter().for_each(|party| assert_eq!(spent(party), "3"));

    // Once more: another draw of noise, charged again.
    let second = go("second", &["--json"]).expect(0);
    assert_eq!(second.stderr, "");
    let said: Value = serde_json::from_str(&second.stdout).unwrap();
    let two = assert_one_result(&state, &folder.path().join("second"));
    assert_eq!(said["run"], two["run"]);
    assert_eq!(said["plan"], two["plan"]);
    assert_eq!(said["epsilon"], two["epsilon"]);
    assert_eq!(said["result"], folder.path().join("second/result.json").to_str().unwrap());
    assert_eq!(said["parties"].as_array().unwrap().len(), 3);
    for party in said["parties"].as_array().unwrap() {
        assert!(party["left"].as_str().unwrap().contains('4'), "{party}");
    }
    assert_plausible(&two, &truth);
    assert_ne!(one["run"], two["run"]);
    assert_ne!(one["statistics"], two["statistics"]);
    HOSPITALS.iter().for_each(|party| assert_eq!(spent(party), "6"));

    go("third", &[]).expect(0);
    assert_plausible(&assert_one_result(&state, &folder.path().join("third")), &truth);
    HOSPITALS.iter().for_each(|party| assert_eq!(spent(party), "9"));

    let (before, books) = (files(&state), ledgers(&state));
    assert_eq!(books.len(), 3);
    let fourth = go("fourth", &[]).expect(3);
    for party in HOSPITALS {
        let figures = "asked 3, remaining 1 (total 10, spent 9, reserved 0)";
        holds(&fourth.stderr, &[&format!("{party}: budget default/{party} refuses the run"), figures]);
    }
    assert_eq!(fourth.stdout, "");
    assert!(files(&folder.path().join("fourth")).is_empty());
    assert!(ledgers(&state) == books, "a ledger changed");
    // Nothing was summed, shared or opened: the parties' folders hold no file of the run but its lock.
    let new: Vec<PathBuf> = files(&state).into_keys().filter(|path| !before.contains_key(path)).collect();
    for path in &new {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name == "lock" || path.parent().unwrap().ends_with("runs"), "{new:?}");
    }
    // And there is nothing to take up.
    let resumed = go("fourth", &["--resume"]).expect(2);
    holds(&resumed.stderr, &["no unfinished run of default/hospitals", "without --resume"]);
    assert!(ledgers(&state) == books, "a ledger changed");
}

#[test]
fn nothing_to_resume_is_said() {
    let world = World::new();
    let said = world.run(&["--resume"]).expect(2);
    holds(&said.stderr, &["no unfinished run of default/wards", "run again without --resume"]);
    assert!(files(&world.state()).is_empty());
    world.run(&[]).expect(0);
    // A finished run is not unfinished.
    let said = world.run(&["--resume"]).expect(2);
    holds(&said.stderr, &["no unfinished run of default/wards"]);
    world.assert_charged_once("a finished run");
}

#[test]
fn a_party_that_is_no_recipient_gets_no_result() {
    let text = manifest("").replace("  device: cpu", "  recipients: [south]\n  device: cpu");
    let world = World::with(30, &text);
    world.run(&[]).expect(0);
    let results = world.results();
    assert_eq!(results.len(), 1, "{:?}", results.keys());
    let (path, bytes) = results.first_key_value().unwrap();
    assert!(path.starts_with(world.state().join("south")));
    assert!(fs::read(world.out().join("result.json")).unwrap() == *bytes);
    let receipts = files(&world.state()).into_keys().filter(|path| path.ends_with("receipt.json")).count();
    assert_eq!(receipts, 3, "everybody gets the receipt");
    // What the others keep holds no figure of the result.
    world.assert_charged_once("one recipient");
    world.assert_no_secret(&[]);
}

#[test]
fn where_a_cluster_would_put_the_result_is_read_and_left_alone() {
    let place = "{path: a/b, volume: {claim: results}}";
    let text = manifest("").replace("  device: cpu", &format!("  result: {place}\n  device: cpu"));
    let world = World::with(30, &text);
    let said = world.run(&[]).expect(0);
    let told = "spec.result is for a cluster, which would have put the result into the folder a/b of the PersistentVolumeClaim results";
    holds(&said.stdout, &[told, "result.json"]);
    assert!(world.out().join("result.json").exists());
}

/// A party's public key, as the program prints it.
fn key(world: &World, party: &str) -> String {
    let state = world.state().join(party);
    let said: common::Said =
        veilgrid().args(["party", "identity", "--state"]).arg(state).output().unwrap().into();
    let said = said.expect(0);
    let key = said.stdout.trim().to_owned();
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    key
}

fn pin(world: &World, party: &str, key: &str) {
    let plain = format!("{{name: {party}, dataset: {{name: {party}}}");
    world.edit(&(plain.clone() + "}"), &format!("{plain}, publicKey: {key}}}"));
}

#[test]
fn a_pinned_key_is_held_to() {
    let world = World::new();
    pin(&world, "south", &key(&world, "south"));
    world.run(&[]).expect(0);
    let books = ledgers(&world.state());
    assert_eq!(books.len(), 3);

    let world = World::new();
    // The key of another party, and one that is nobody's: a right key, and the wrong one for south.
    let strangers = World::new();
    for wrong in [key(&world, "north"), key(&strangers, "south")] {
        let text = fs::read_to_string(world.manifest()).unwrap();
        pin(&world, "south", &wrong);
        let said = world.run(&[]).expect(6);
        holds(&said.stderr, &["south", &wrong, "publicKey"]);
        world.assert_nothing_charged();
        assert!(NAMES.iter().all(|party| world.entries(party).is_empty()));
        assert!(!world.out().join("result.json").exists());
        fs::write(world.manifest(), text).unwrap();
    }
    // With the manifest put right, the same parties agree.
    world.run(&[]).expect(0);
    world.assert_charged_once("after a wrong pin");
}

#[test]
fn a_changed_key_stops_the_job() {
    let world = World::new();
    world.run(&[]).expect(0);
    let (old, books) = (key(&world, "south"), ledgers(&world.state()));
    let south = world.state().join("south");
    fs::remove_file(south.join("identity.key")).unwrap();
    let new = key(&world, "south");
    assert_ne!(old, new);
    let said = world.run(&[]).expect(6);
    holds(&said.stderr, &["the key of peer south has changed from", "known_peers.json"]);
    assert!(ledgers(&world.state()) == books, "a ledger changed");
    let said = world.run(&["--resume"]).expect(2);
    holds(&said.stderr, &["no unfinished run"]);
}
