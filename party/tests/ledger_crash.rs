//! `kill -9` at random instants: what the ledger reported stays, and the total is never passed.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use veilgrid_api::amount::{Delta, Epsilon};
use veilgrid_party::ledger::{Charge, Ledger, LedgerError, State};

const PATH: &str = "LEDGER_CRASH_PATH";
const SEED: &str = "LEDGER_CRASH_SEED";
const TOTAL: (Epsilon, Delta) = (Epsilon::from_units(40), Delta::from_units(1_000_000));

fn charge(run: u64) -> Charge {
    Charge {
        run: format!("{run:032x}"),
        job: "default/j".into(),
        dataset: "default/d".into(),
        budget: "default/b".into(),
        plan: "00".repeat(32),
        epsilon: Epsilon::from_units(1 + run % 3),
        delta: Delta::from_units(1),
    }
}

/// The child: works on the ledger until it is killed, and says each step after it was reported as done.
#[test]
#[allow(clippy::print_stdout)]
fn child_works_until_killed() {
    let (Ok(path), Ok(seed)) = (std::env::var(PATH), std::env::var(SEED)) else { return };
    let mut random: u64 = seed.parse().unwrap();
    let mut next = move || {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        random >> 33
    };
    let mut ledger = Ledger::open(Path::new(&path)).unwrap();
    println!("\nready");
    loop {
        let run = next() % 60;
        let name = charge(run).run;
        let step = match next() % 4 {
            0 | 1 => ledger.reserve(&charge(run), TOTAL).map(|_| "held"),
            2 => ledger.commit(&name).map(|()| "spent"),
            _ => ledger.release(&name).map(|()| "released"),
        };
        match step {
            Ok(word) => println!("{run} {word}"),
            Err(LedgerError::Refused(_) | LedgerError::Unknown { .. } | LedgerError::Order { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn work_and_kill(path: &Path, seed: u64) -> Vec<(u64, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_works_until_killed", "--nocapture"])
        .env(PATH, path)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while lines.next().expect("the child ended early").unwrap() != "ready" {}
    std::thread::sleep(Duration::from_micros(seed.wrapping_mul(7919) % 60_000));
    child.kill().unwrap();
    child.wait().unwrap();
    lines
        .map_while(Result::ok)
        .filter_map(|line| {
            let (run, word) = line.split_once(' ')?;
            Some((run.parse().ok()?, word.to_owned()))
        })
        .collect()
}

#[test]
fn what_was_reported_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let mut before = BTreeMap::<u64, State>::new();
    for round in 0..40u64 {
        let reported = work_and_kill(&path, round + 1);
        let ledger = Ledger::open(&path).unwrap();
        let now: BTreeMap<u64, State> = ledger
            .entries()
            .unwrap()
            .into_iter()
            .map(|entry| (u64::from_str_radix(&entry.run, 16).unwrap(), entry.state))
            .collect();
        let mut expected = before.clone();
        for (run, word) in reported {
            let state = match (word.as_str(), expected.get(&run)) {
                ("held", Some(State::Spent)) | ("spent", _) => State::Spent,
                ("held", _) => State::Reserved,
                _ => State::Released,
            };
            expected.insert(run, state);
        }
        // One step may be done and not yet said; every other run is as was said.
        let differing: Vec<_> = now.iter().filter(|(run, state)| expected.get(run) != Some(*state)).collect();
        assert!(differing.len() <= 1, "round {round}: {differing:?}");
        assert!(expected.keys().all(|run| now.contains_key(run)), "round {round}: an entry is lost");
        for (run, state) in &before {
            assert!(*state != State::Spent || now[run] == State::Spent, "round {round}: {run} was unspent");
        }
        let balance = ledger.balance("default/b").unwrap();
        assert!(balance.spent_epsilon.checked_add(balance.reserved_epsilon).unwrap() <= TOTAL.0);
        let history = ledger.history().unwrap();
        for (run, state) in &now {
            let name = format!("{run:032x}");
            let last = history.iter().rfind(|step| step.run == name).unwrap();
            assert_eq!(last.state, *state, "round {round}: history and entry are one transaction");
        }
        before = now;
    }
    assert!(!before.is_empty());
}

/// Two processes at once, both killed in the end: the total still holds.
#[test]
fn two_processes_share_one_total() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    for round in 0..6u64 {
        std::thread::scope(|scope| {
            let path = &path;
            (0..2).for_each(|i| drop(scope.spawn(move || work_and_kill(path, 1000 + 2 * round + i))));
        });
        let balance = Ledger::open(&path).unwrap().balance("default/b").unwrap();
        assert!(balance.spent_epsilon.checked_add(balance.reserved_epsilon).unwrap() <= TOTAL.0);
    }
}
