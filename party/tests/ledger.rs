//! The ledger never holds more than the total, keeps what it reported, and refuses files that are not its own.

use proptest::prelude::*;
use std::{fs, path::Path};
use veilgrid_api::amount::{Delta, Epsilon};
use veilgrid_party::ledger::{Charge, Ledger, LedgerError, State};

const TOTAL: (Epsilon, Delta) = (Epsilon::from_units(2_000_000_000), Delta::from_units(1_000_000_000_000));

fn charge(run: u32, epsilon: u64) -> Charge {
    Charge {
        run: format!("{run:032x}"),
        job: "default/survey".into(),
        dataset: "default/north".into(),
        budget: "default/north".into(),
        plan: format!("{run:064x}"),
        epsilon: Epsilon::from_units(epsilon),
        delta: Delta::from_units(1_000_000_000),
    }
}

fn fresh() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    (folder, path)
}

#[test]
fn a_run_is_reserved_then_spent_and_every_step_is_kept() {
    let (_folder, path) = fresh();
    let mut ledger = Ledger::open(&path).unwrap();
    let first = charge(1, 1_500_000_000);
    assert_eq!(ledger.check(&first, TOTAL).unwrap(), None);
    assert_eq!(ledger.reserve(&first, TOTAL).unwrap(), State::Reserved);
    assert_eq!(ledger.reserve(&first, TOTAL).unwrap(), State::Reserved);
    ledger.commit(&first.run).unwrap();
    ledger.commit(&first.run).unwrap();
    assert_eq!(ledger.reserve(&first, TOTAL).unwrap(), State::Spent);
    assert!(matches!(
        ledger.release(&first.run),
        Err(LedgerError::Order { from: State::Spent, to: State::Released, .. })
    ));
    drop(ledger);

    let ledger = Ledger::open(&path).unwrap();
    let entry = ledger.entry(&first.run).unwrap().unwrap();
    assert_eq!((entry.state, entry.epsilon, entry.delta), (State::Spent, first.epsilon, first.delta));
    assert_eq!((entry.job, entry.plan, entry.dataset), (first.job, first.plan, first.dataset));
    assert_eq!(entry.since.len(), "2026-01-01T00:00:00Z".len());
    let steps: Vec<State> = ledger.history().unwrap().iter().map(|step| step.state).collect();
    assert_eq!(steps, [State::Reserved, State::Spent]);
    assert_eq!(ledger.balance("default/north").unwrap().spent_epsilon.units(), 1_500_000_000);
    assert_eq!(ledger.balance("default/south").unwrap(), Default::default());
}

#[test]
fn a_refusal_carries_every_figure_and_changes_nothing() {
    let (_folder, path) = fresh();
    let mut ledger = Ledger::open(&path).unwrap();
    ledger.reserve(&charge(1, 900_000_000), TOTAL).unwrap();
    ledger.commit(&charge(1, 0).run).unwrap();
    ledger.reserve(&charge(2, 400_000_000), TOTAL).unwrap();
    let before = fs::read(&path).unwrap();
    for refused in [ledger.check(&charge(3, 800_000_000), TOTAL).map(drop), {
        ledger.reserve(&charge(3, 800_000_000), TOTAL).map(drop)
    }] {
        let Err(LedgerError::Refused(refusal)) = refused else { panic!("not refused") };
        let figures = refusal.epsilon;
        assert_eq!(
            [figures.total, figures.spent, figures.reserved, figures.remaining, figures.asked]
                .map(|amount| amount.to_string()),
            ["2", "0.9", "0.4", "0.7", "0.8"]
        );
        let text = refusal.to_string();
        assert!(text.contains("asked 0.8, remaining 0.7 (total 2, spent 0.9, reserved 0.4)"), "{text}");
    }
    assert_eq!(fs::read(&path).unwrap(), before, "the file changed");
    // What fits exactly is admitted.
    ledger.reserve(&charge(3, 700_000_000), TOTAL).unwrap();
}

#[test]
fn delta_is_guarded_like_epsilon_and_a_lowered_total_leaves_nothing() {
    let (_folder, path) = fresh();
    let mut ledger = Ledger::open(&path).unwrap();
    let little = (TOTAL.0, Delta::from_units(1_500_000_000));
    ledger.reserve(&charge(1, 1), little).unwrap();
    assert!(matches!(ledger.reserve(&charge(2, 1), little), Err(LedgerError::Refused(_))));
    let lowered = (TOTAL.0, Delta::from_units(10));
    let Err(LedgerError::Refused(refusal)) = ledger.reserve(&charge(2, 1), lowered) else { panic!() };
    assert_eq!(refusal.delta.remaining, Delta::ZERO);
    // The run that is booked already is not asked again.
    assert_eq!(ledger.reserve(&charge(1, 1), lowered).unwrap(), State::Reserved);
}

#[test]
fn a_run_is_resumed_as_it_was_or_not_at_all() {
    let (_folder, path) = fresh();
    let mut ledger = Ledger::open(&path).unwrap();
    let booked = charge(1, 5);
    ledger.reserve(&booked, TOTAL).unwrap();
    type Change = fn(&mut Charge);
    let changes: [(&str, Change); 5] = [
        ("plan", |c| c.plan = "0".repeat(64)),
        ("budget", |c| c.budget = "default/other".into()),
        ("dataset", |c| c.dataset = "default/other".into()),
        ("epsilon", |c| c.epsilon = Epsilon::from_units(6)),
        ("delta", |c| c.delta = Delta::from_units(6)),
    ];
    for (what, change) in changes {
        let mut other = booked.clone();
        change(&mut other);
        let error = ledger.reserve(&other, TOTAL).unwrap_err();
        assert!(matches!(&error, LedgerError::Conflict { what: field, .. } if *field == what), "{error}");
    }
    assert_eq!(ledger.entries().unwrap().len(), 1);
}

#[test]
fn what_was_released_can_be_held_again_but_not_spent() {
    let (_folder, path) = fresh();
    let mut ledger = Ledger::open(&path).unwrap();
    let run = charge(1, 2_000_000_000);
    assert!(matches!(ledger.release(&run.run), Err(LedgerError::Unknown { .. })));
    assert!(matches!(ledger.commit(&run.run), Err(LedgerError::Unknown { .. })));
    ledger.reserve(&run, TOTAL).unwrap();
    ledger.release(&run.run).unwrap();
    ledger.release(&run.run).unwrap();
    assert!(matches!(ledger.commit(&run.run), Err(LedgerError::Order { from: State::Released, .. })));
    assert_eq!(ledger.check(&run, TOTAL).unwrap(), Some(State::Released));
    // While it was released another run took the room.
    let other = charge(2, 1);
    ledger.reserve(&other, TOTAL).unwrap();
    assert!(matches!(ledger.reserve(&run, TOTAL), Err(LedgerError::Refused(_))));
    ledger.release(&other.run).unwrap();
    assert_eq!(ledger.reserve(&run, TOTAL).unwrap(), State::Reserved);
    ledger.commit(&run.run).unwrap();
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let (folder, path) = fresh();
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let error = Ledger::open(&path).err().expect("opened");
        assert_eq!(fs::read(&path).unwrap(), bytes);
        error
    };
    assert!(matches!(refused(b""), LedgerError::Damaged { .. }));
    assert!(matches!(refused(&b"patient,age\n".repeat(100)), LedgerError::Foreign { .. }));
    let other = folder.path().join("other");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(refused(&fs::read(&other).unwrap()), LedgerError::Foreign { .. }));

    fs::remove_file(&path).unwrap();
    let mut ledger = Ledger::open(&path).unwrap();
    for run in 0..200 {
        ledger.reserve(&charge(run, 1), TOTAL).unwrap();
    }
    drop(ledger);
    let good = fs::read(&path).unwrap();
    let mut next_version = good.clone();
    next_version[60..64].copy_from_slice(&2u32.to_be_bytes());
    assert!(matches!(refused(&next_version), LedgerError::Foreign { .. }));
    assert!(matches!(refused(&good[..good.len() / 2]), LedgerError::Damaged { .. }));
    let mut scribbled = good.clone();
    scribbled[4096..12288].fill(0xa5);
    assert!(matches!(refused(&scribbled), LedgerError::Damaged { .. }));
    fs::write(&path, &good).unwrap();
    assert_eq!(Ledger::open(&path).unwrap().entries().unwrap().len(), 200);
}

#[test]
fn a_missing_folder_and_a_folder_in_place_of_the_file_are_errors() {
    let (folder, path) = fresh();
    let error = Ledger::open(&folder.path().join("none/ledger.sqlite")).err().unwrap();
    assert!(matches!(error, LedgerError::Disk { .. }), "{error}");
    fs::create_dir(&path).unwrap();
    assert!(Ledger::open(&path).is_err());
}

#[test]
fn nobody_can_take_back_what_is_booked() {
    let (_folder, path) = fresh();
    let mut ledger = Ledger::open(&path).unwrap();
    ledger.reserve(&charge(1, 7), TOTAL).unwrap();
    ledger.commit(&charge(1, 7).run).unwrap();
    drop(ledger);
    let raw = rusqlite::Connection::open(&path).unwrap();
    for statement in [
        "DELETE FROM entries",
        "UPDATE entries SET state = 'released'",
        "UPDATE entries SET epsilon = 0",
        "DELETE FROM history",
        "UPDATE history SET state = 'released'",
    ] {
        assert!(raw.execute(statement, []).is_err(), "{statement}");
    }
}

#[cfg(unix)]
#[test]
fn the_file_is_the_owners_alone_and_the_only_one() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = fresh();
    let mut ledger = Ledger::open(&path).unwrap();
    ledger.reserve(&charge(1, 1), TOTAL).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["ledger.sqlite"]);
}

#[test]
fn many_at_once_never_overspend() {
    let (_folder, path) = fresh();
    let admitted: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let path: &Path = &path;
                scope.spawn(move || {
                    let mut ledger = Ledger::open(path).unwrap();
                    (0..5)
                        .filter(|i| match ledger.reserve(&charge(worker * 100 + i, 300_000_000), TOTAL) {
                            Ok(_) => true,
                            Err(LedgerError::Refused(_)) => false,
                            Err(error) => panic!("{error}"),
                        })
                        .count()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(admitted, 6, "2 / 0.3");
}

#[derive(Clone, Debug)]
enum Step {
    Reserve { run: u32, epsilon: u64, total: u64 },
    Commit(u32),
    Release(u32),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u32..6, 1u64..60, 50u64..120)
            .prop_map(|(run, epsilon, total)| Step::Reserve { run, epsilon: epsilon * 10, total: total * 10 }),
        2 => (0u32..6).prop_map(Step::Commit),
        2 => (0u32..6).prop_map(Step::Release),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Against a model in memory: the same answers, and what is booked is never above the highest total that was admitted.
    #[test]
    fn the_ledger_is_its_model(steps in steps()) {
        let (_folder, path) = fresh();
        let mut ledger = Ledger::open(&path).unwrap();
        let mut model = std::collections::BTreeMap::<u32, (u64, State)>::new();
        for step in steps {
            match step {
                Step::Reserve { run, epsilon, total } => {
                    let booked: u64 =
                        model.values().filter(|(_, state)| *state != State::Released).map(|(e, _)| e).sum();
                    let outcome = ledger.reserve(&charge(run, epsilon), (Epsilon::from_units(total), TOTAL.1));
                    match model.get(&run).copied() {
                        Some((held, _)) if held != epsilon => {
                            let conflict = matches!(outcome, Err(LedgerError::Conflict { .. }));
                            prop_assert!(conflict);
                        }
                        Some((_, state @ (State::Reserved | State::Spent))) => {
                            prop_assert_eq!(outcome.unwrap(), state);
                        }
                        _ if booked + epsilon > total => {
                            let refused = matches!(outcome, Err(LedgerError::Refused(_)));
                            prop_assert!(refused);
                        }
                        _ => {
                            prop_assert_eq!(outcome.unwrap(), State::Reserved);
                            model.insert(run, (epsilon, State::Reserved));
                        }
                    }
                }
                Step::Commit(run) | Step::Release(run) => {
                    let (to, outcome) = match step {
                        Step::Commit(_) => (State::Spent, ledger.commit(&charge(run, 0).run)),
                        _ => (State::Released, ledger.release(&charge(run, 0).run)),
                    };
                    let entry = model.get_mut(&run).filter(|(_, state)| *state == State::Reserved || *state == to);
                    prop_assert_eq!(outcome.is_ok(), entry.is_some());
                    if let Some(entry) = entry {
                        entry.1 = to;
                    }
                }
                Step::Reopen => {
                    drop(ledger);
                    ledger = Ledger::open(&path).unwrap();
                }
            }
            let balance = ledger.balance("default/north").unwrap();
            let sum = |wanted: State| -> u64 {
                model.values().filter(|(_, state)| *state == wanted).map(|(epsilon, _)| epsilon).sum()
            };
            prop_assert_eq!(balance.spent_epsilon.units(), sum(State::Spent));
            prop_assert_eq!(balance.reserved_epsilon.units(), sum(State::Reserved));
            prop_assert!(balance.spent_epsilon.units() + balance.reserved_epsilon.units() <= 1200);
        }
    }
}
