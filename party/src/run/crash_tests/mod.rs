//! Parties die at every boundary of their runs, and the run is taken up again: one charge, one draw of noise, one result.

mod disk;
mod world;

use super::{error::RunError, session::Point};
use crate::{
    ledger::{Ledger, State},
    transport::links::Kind,
};
use std::{fs, sync::Arc};
use world::{Deaths, Ending, RUN, World, snapshot};

const POINTS: [Point; 13] = [
    Point::Agreed,
    Point::Reserved,
    Point::Begun,
    Point::Shared,
    Point::Sealed,
    Point::AllSealed,
    Point::Spent,
    Point::Opening,
    Point::Opened,
    Point::Signed,
    Point::ResultWritten,
    Point::ReceiptWritten,
    Point::Done,
];
const NOBODY: Deaths = [None; 3];

/// What a round may leave, whoever died in it: the exit codes say what the ledgers hold.
fn check_round(world: &World, endings: &[Ending], what: &str) {
    for (party, ending) in endings.iter().enumerate() {
        let state = world.entries(party).first().map(|entry| entry.state);
        match ending.code() {
            Some(0 | 10) => assert_eq!(state, Some(State::Spent), "{what}: {endings:?}"),
            Some(5) => assert!(matches!(state, None | Some(State::Released)), "{what}: {endings:?}"),
            Some(code) => panic!("{what}: code {code}: {endings:?}"),
            None => {}
        }
    }
    let results: Vec<_> = (0..3).filter_map(|party| world.result(party)).collect();
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{what}: two results");
}

/// Rounds with these deaths, then one without: nothing that was written before may change.
fn survive(rounds: &[Deaths], what: &str) {
    let world = World::new(["2", "2", "2"]);
    let mut first = None;
    for (number, deaths) in rounds.iter().enumerate() {
        let endings = world.round(number > 0, *deaths);
        check_round(&world, &endings, what);
        let result = (0..3).find_map(|party| world.result(party));
        assert!(first.is_none() || first == result, "{what}: the result changed");
        first = result;
    }
    let endings = world.round(true, NOBODY);
    world.assert_finished(&endings, what);
    assert!(first.is_none() || first == world.result(0), "{what}: the result changed");
}

#[test]
fn a_run_without_deaths_ends_well_and_is_not_run_twice() {
    let world = World::new(["2", "2", "2"]);
    let endings = world.round(false, NOBODY);
    world.assert_finished(&endings, "no deaths");
    let written = (world.result(0), world.receipt(1));
    let again = world.round(false, NOBODY);
    assert!(again.iter().all(|ending| ending.code() == Some(2)), "{again:?}");
    let resumed = world.round(true, NOBODY);
    world.assert_finished(&resumed, "resumed when done");
    assert!(written == (world.result(0), world.receipt(1)));
}

#[test]
fn any_party_may_die_anywhere() {
    for point in POINTS {
        for party in 0..3 {
            let mut deaths = NOBODY;
            deaths[party] = Some(point);
            survive(&[deaths], &format!("party {party} dies at {point:?}"));
        }
    }
}

#[test]
fn parties_may_die_together_and_again_and_again() {
    let mut random = 0x5eed_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    for case in 0..24 {
        let rounds: Vec<Deaths> = (0..1 + next(3))
            .map(|_| std::array::from_fn(|_| (next(2) == 0).then(|| POINTS[next(POINTS.len())])))
            .collect();
        survive(&rounds, &format!("case {case}: {rounds:?}"));
    }
}

#[test]
fn what_was_opened_and_lost_stays_spent_and_is_not_drawn_again() {
    for (dead, loser) in [(0, 0), (0, 1), (2, 1)] {
        let world = World::new(["2", "2", "2"]);
        let mut deaths = NOBODY;
        deaths[dead] = Some(Point::Opening);
        world.round(false, deaths);
        let states: Vec<_> = (0..3).map(|party| world.entries(party)[0].state).collect();
        assert_eq!(states[dead], State::Spent);
        fs::remove_dir_all(world.run_folder(loser)).unwrap();
        let endings = world.round(true, NOBODY);
        let lost = endings.iter().filter(|end| matches!(end, Ending::Failed(RunError::Lost(_)))).count();
        assert!(lost >= 1, "{endings:?}");
        assert!((0..3).all(|party| world.result(party).is_none()));
        for (party, state) in states.iter().enumerate() {
            if *state == State::Spent {
                assert_eq!(world.balance(party).spent_epsilon.to_string(), "1", "{endings:?}");
                assert!(matches!(endings[party].code(), Some(8 | 10)), "{endings:?}");
            }
        }
    }
}

#[test]
fn a_damaged_checkpoint_is_seen_and_redrawn_only_where_nothing_was_opened() {
    for (point, finishes) in [(Point::Sealed, true), (Point::Spent, false), (Point::Opening, false)] {
        for file in ["checkpoint.json", "sum.bin"] {
            let world = World::new(["2", "2", "2"]);
            world.round(false, [Some(point); 3]);
            let path = world.run_folder(1).join(file);
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
            let endings = world.round(true, NOBODY);
            if finishes {
                world.assert_finished(&endings, file);
            } else {
                assert!(matches!(endings[1], Ending::Failed(RunError::Lost(_))), "{endings:?}");
                assert!((0..3).all(|party| world.result(party).is_none()));
                assert!((0..3).all(|party| world.entries(party)[0].state == State::Spent));
            }
        }
    }
}

#[test]
fn a_refused_party_leaves_every_ledger_untouched_and_is_named() {
    let world = World::new(["2", "2", "2"]);
    world.spend(1, "1.5");
    let endings = world.round(false, NOBODY);
    let codes: Vec<_> = endings.iter().map(Ending::code).collect();
    assert_eq!(codes, [Some(5), Some(3), Some(5)], "{endings:?}");
    let refusal = format!("{:?}", endings[1]);
    assert!(refusal.contains("asked 1, remaining 0.5 (total 2, spent 1.5, reserved 0)"), "{refusal}");
    for peer in [0, 2] {
        let told = format!("{:?}", endings[peer]);
        assert!(told.contains("peer south gave up: its budget refused the run"), "{told}");
        assert!(!told.contains("1.5"), "figures are south's own: {told}");
        assert!(world.entries(peer).is_empty());
    }
    assert_eq!(world.entries(1).len(), 1);
    // Nothing of it is in the way of the same run once the budget allows it.
    let text = fs::read_to_string(world.manifest()).unwrap();
    let (before, south) = text.rsplit_once("metadata: {name: south}\nspec: {epsilon: 2}").unwrap();
    fs::write(world.manifest(), format!("{before}metadata: {{name: south}}\nspec: {{epsilon: 2.5}}{south}"))
        .unwrap();
    let endings = world.round(false, NOBODY);
    assert!(endings.iter().all(|ending| ending.code() == Some(0)), "{endings:?}");
    assert_eq!(world.balance(1).spent_epsilon.to_string(), "2.5");
    // A run is started once.
    let before = (0..3).map(|party| snapshot(&world.state(party))).collect::<Vec<_>>();
    let refused = world.round(false, NOBODY);
    assert!(refused.iter().all(|ending| ending.code() == Some(2)), "{refused:?}");
    assert!(before == (0..3).map(|party| snapshot(&world.state(party))).collect::<Vec<_>>());
}

#[test]
fn bad_rows_release_every_reservation_and_tell_no_value() {
    let world = World::new(["2", "2", "2"]);
    let good = fs::read(world.rows("east")).unwrap();
    for bad in ["age\n1\nseventeen\n", "age\n1\n2,3\n", "age\n1\nNaN\n", "years\n1\n", ""] {
        fs::write(world.rows("east"), bad).unwrap();
        let endings = world.round(true, NOBODY);
        let codes: Vec<_> = endings.iter().map(Ending::code).collect();
        assert_eq!(codes, [Some(5), Some(5), Some(4)], "{bad:?}: {endings:?}");
        for (party, ending) in endings.iter().enumerate() {
            assert_eq!(world.balance(party), Default::default(), "{bad:?}");
            assert!(!format!("{ending:?}").contains("seventeen"));
        }
        assert!(format!("{:?}", endings[0]).contains("east gave up: its rows are not as the manifest says"));
    }
    fs::write(world.rows("east"), good).unwrap();
    let endings = world.round(true, NOBODY);
    world.assert_finished(&endings, "good rows");
}

#[test]
fn a_resumed_run_is_the_same_run() {
    let world = World::new(["2", "2", "2"]);
    let mut deaths = NOBODY;
    deaths[1] = Some(Point::Sealed);
    world.round(false, deaths);
    let text = fs::read_to_string(world.manifest()).unwrap();
    fs::write(world.manifest(), text.replace("max: 8", "max: 9")).unwrap();
    let endings = world.round(true, NOBODY);
    assert!(endings.iter().all(|ending| ending.code() == Some(6)), "{endings:?}");
    fs::write(world.manifest(), text).unwrap();
    let endings = world.round(true, NOBODY);
    world.assert_finished(&endings, "with its own manifest again");
}

#[test]
fn shares_leave_when_reserved_and_sums_leave_when_spent() {
    let world = World::new(["2", "2", "2"]);
    let states = [0, 1, 2].map(|party| world.state(party));
    let folders = [0, 1, 2].map(|party| world.run_folder(party));
    let watch = Arc::new(move |from: usize, _, _, message: crate::transport::links::Message| {
        let booked = || {
            let ledger = Ledger::open(&states[from].join("ledger.sqlite")).unwrap();
            ledger.entry(RUN).unwrap().map(|entry| entry.state)
        };
        let stage = || fs::read_to_string(folders[from].join("checkpoint.json")).unwrap_or_default();
        match message.kind {
            Kind::Agree | Kind::Standing => assert_eq!(booked(), None),
            Kind::Seed => {
                assert_eq!(booked(), Some(State::Reserved));
                assert!(stage().contains("\"sharing\""));
            }
            Kind::Sealed => {
                assert_eq!(booked(), Some(State::Reserved));
                assert!(stage().contains("\"sealed\"") && folders[from].join("sum.bin").exists());
            }
            Kind::Opened | Kind::Result => {
                assert_eq!(booked(), Some(State::Spent));
                assert!(stage().contains("\"opening\""));
            }
            Kind::Abort | Kind::Bye => panic!("a good run has none"),
        }
        vec![message]
    });
    let endings = world.watched(RUN, false, NOBODY, Some(watch));
    world.assert_finished(&endings, "watched");
}

#[test]
fn runs_at_once_never_overspend() {
    let world = World::new(["2", "2", "2"]);
    let runs = ["a1", "a2", "a3", "a4"].map(|name| name.repeat(16));
    let endings: Vec<Vec<Ending>> = std::thread::scope(|scope| {
        let world = &world;
        let rounds = runs.each_ref().map(|run| scope.spawn(|| world.watched(run, false, NOBODY, None)));
        rounds.map(|round| round.join().unwrap()).into()
    });
    let done = endings.iter().filter(|run| run.iter().all(|end| matches!(end, Ending::Done))).count();
    for (party, rounds) in (0..3).map(|party| (party, endings.iter().map(move |run| run[party].code()))) {
        assert!(rounds.flatten().all(|code| [0, 3, 5].contains(&code)), "{endings:?}");
        let balance = world.balance(party);
        assert_eq!(balance.spent_epsilon.to_string(), done.to_string(), "{endings:?}");
        assert_eq!(balance.reserved_epsilon.to_string(), "0", "{endings:?}");
    }
    assert!(done <= 2);
}
