//! `budget` and `verify` after a run, and without one.

use super::*;
use std::{fs, sync::LazyLock};
use tempfile::TempDir;
use veilgrid_party::ledger::{self, Charge, Ledger};

/// A folder in which the example was run once.
static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    veilgrid(folder.path(), &["run", example().to_str().unwrap(), "--json"]).ends(Exit::Success);
    folder
});

fn after_a_run(arguments: &[&str]) -> Ran {
    veilgrid(RUN.path(), arguments)
}

#[test]
fn a_budget_shows_what_is_spent_and_left() {
    let file = example().display().to_string();
    after_a_run(&["budget"]).succeeds(&["north", "default/south", "west", "spent", "veilgrid budget FILE"]);
    after_a_run(&["budget", &file]).succeeds(&["remaining", "default/hospitals", "spent"]);
    let answer = after_a_run(&["budget", &file, "--json"]).json();
    let budgets = answer["budgets"].as_array().unwrap();
    assert_eq!(budgets.len(), 3);
    for budget in budgets {
        let epsilon = ["total", "spent", "reserved", "remaining"]
            .map(|which| budget[which]["epsilon"].as_str().unwrap());
        assert_eq!(epsilon, ["10", "3", "0", "7"]);
        let entry = &budget["entries"][0];
        assert_eq!((&entry["state"], &entry["job"]), (&"spent".into(), &"default/hospitals".into()));
        assert_eq!(entry["run"].as_str().unwrap().len(), 32);
    }
    // A party looks at its own state folder.
    let own = after_a_run(&["budget", "--state", ".veilgrid/south", "--json"]).json();
    assert_eq!((own["budgets"].as_array().unwrap().len(), &own["budgets"][0]["party"]), (1, &"south".into()));
    assert!(own["budgets"][0].get("total").is_none(), "the ledger does not know it");
}

#[test]
fn a_budget_without_a_ledger() {
    let folder = tempfile::tempdir().unwrap();
    veilgrid(folder.path(), &["budget"]).fails(Exit::Usage, &[".veilgrid holds no ledger", "--state"]);
    let answer = veilgrid(folder.path(), &["budget", example().to_str().unwrap(), "--json"]).json();
    assert_eq!(answer["budgets"].as_array().unwrap().len(), 3);
    assert_eq!(answer["budgets"][2]["remaining"]["epsilon"], "10");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "looking makes no ledger");

    for (damage, words) in [("", "empty"), ("no database at all, in any way", "no SQLite file")] {
        let party = folder.path().join("state/north");
        fs::create_dir_all(&party).unwrap();
        fs::write(party.join("ledger.sqlite"), damage).unwrap();
        veilgrid(folder.path(), &["budget", "--state", "state"])
            .fails(Exit::State, &["state/north/ledger.sqlite", words]);
    }
}

#[test]
fn a_budget_shows_what_is_held_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("north")).unwrap();
    let mut ledger = Ledger::open(&folder.path().join("north").join(ledger::FILE)).unwrap();
    let total = ("10".parse().unwrap(), "0.000001".parse().unwrap());
    for (digit, budget, epsilon) in
        [("1", "default/north", "1.5"), ("2", "default/north", "4"), ("3", "other/more", "1")]
    {
        let charge = Charge {
            run: digit.repeat(32),
            job: "default/hospitals".into(),
            dataset: "default/north".into(),
            budget: budget.into(),
            plan: "0".repeat(64),
            epsilon: epsilon.parse().unwrap(),
            delta: "0.000000001".parse().unwrap(),
        };
        ledger.reserve(&charge, total).unwrap();
    }
    ledger.release(&"2".repeat(32)).unwrap();
    let state = folder.path().to_str().unwrap();
    let ran = veilgrid(folder.path(), &["budget", example().to_str().unwrap(), "--state", state, "--json"]);
    let answer = ran.json();
    let of = |index: usize| &answer["budgets"][index];
    assert_eq!((&of(0)["budget"], &of(1)["budget"]), (&"default/north".into(), &"other/more".into()));
    let epsilon =
        ["total", "spent", "reserved", "remaining"].map(|which| of(0)[which]["epsilon"].as_str().unwrap());
    assert_eq!(epsilon, ["10", "0", "1.5", "8.5"]);
    assert_eq!(of(0)["remaining"]["delta"], "0.000000999");
    assert_eq!(
        (&of(0)["entries"][0]["state"], &of(0)["entries"][1]["state"]),
        (&"reserved".into(), &"released".into())
    );
    assert!(of(1).get("remaining").is_none(), "the manifest does not have this budget");
    // The other parties of the manifest have nothing booked.
    assert_eq!((&of(2)["party"], &of(3)["remaining"]["epsilon"]), (&"south".into(), &"10".into()));
}

#[test]
fn a_receipt_of_a_run_holds() {
    after_a_run(&["verify", "out/receipt.json"]).succeeds(&[
        "north signed the plan",
        "checks hold",
        "--result",
    ]);
    after_a_run(&["verify", "out/receipt.json", "--result", "out/result.json"])
        .succeeds(&["ok      the result is the one that was signed", "west charged epsilon 3"]);
    let keys: Vec<String> = ["north", "south", "west"]
        .map(|party| {
            let state = format!(".veilgrid/{party}");
            let key = after_a_run(&["party", "identity", "--state", &state]);
            format!("--key={party}={}", key.succeeds(&[]).out().trim())
        })
        .to_vec();
    let with = |keys: &[String]| {
        let mut arguments = vec!["verify", "out/receipt.json", "--json"];
        arguments.extend(keys.iter().map(String::as_str));
        after_a_run(&arguments)
    };
    let good = with(&keys);
    good.succeeds(&["with the key given for it"]);
    assert_eq!(good.json()["ok"], true);

    let missing = with(&keys[1..]);
    missing.ends(Exit::Agreement);
    assert!(missing.out().contains("no key was given for it") && missing.err().is_empty());
    let swapped = [keys[0].clone(), keys[1].clone(), keys[0].replace("=north=", "=west=")];
    let swapped = with(&swapped);
    swapped.ends(Exit::Agreement);
    assert_eq!(swapped.json()["ok"], false);
    with(&[keys[0].clone(), keys[0].clone()]).fails(Exit::Usage, &["names north twice"]);
    with(&["--key=north=12".into()]).fails(Exit::Usage, &["64 hexadecimal digits", "party identity"]);
    with(&["--key=north".into()]).fails(Exit::Usage, &["PARTY=KEY"]);
}

#[test]
fn a_changed_byte_breaks_a_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    let verify = |more: &[&str]| veilgrid(folder.path(), &[&["verify", "receipt.json"], more].concat());
    let receipt = fs::read_to_string(RUN.path().join("out/receipt.json")).unwrap();
    let result = fs::read_to_string(RUN.path().join("out/result.json")).unwrap();

    write("receipt.json", receipt.as_bytes());
    write("result.json", changed(&result, "0.95", "0.96").as_bytes());
    let forged = verify(&["--result", "result.json"]);
    forged.fails(Exit::Agreement, &["receipt.json: 1 of 15 checks failed", "ask the parties"]);
    assert!(forged.out().contains("FAILED  the result is the one that was signed"));

    for (from, to, broken) in [
        ("\"epsilon\": \"3\"", "\"epsilon\": \"2\"", "FAILED  the plan is the one that was agreed on"),
        ("\n  \"plan\"", "\n   \"plan\"", "FAILED  the receipt is written in its one form"),
        ("\"charges\"", "\"changes\"", "FAILED  the receipt can be read"),
    ] {
        write("receipt.json", changed(&receipt, from, to).as_bytes());
        let ran = verify(&[]);
        ran.ends(Exit::Agreement);
        assert!(ran.out().contains(broken), "{}", ran.out());
    }
    // What a forger writes steers no terminal.
    write("receipt.json", changed(&receipt, "\"charges\"", "\"\\u001b[2J\"").as_bytes());
    assert!(!verify(&[]).out().contains('\u{1b}'));
}

#[test]
fn files_that_are_no_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let verify = |path: &str| veilgrid(folder.path(), &["verify", path]);
    verify("absent.json").fails(Exit::Usage, &["absent.json: ", "give the path of a receipt.json"]);
    verify(".").fails(Exit::Usage, &["give the path of a receipt.json"]);
    verify("/dev/zero").fails(Exit::Usage, &["larger than 64 MiB"]);
    fs::write(folder.path().join("empty.json"), "").unwrap();
    verify("empty.json").ends(Exit::Agreement);
}
