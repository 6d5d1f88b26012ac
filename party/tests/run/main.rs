//! Whole runs over real TLS on loopback: results, refusals and interruptions.

#[path = "../common/certificates.rs"]
mod certificates;
mod hospital;

use hospital::{Hospital, NAMES};
use std::{fs, path::Path};
use veilgrid_party::{
    config::PartyConfig,
    event::{Event, Phase},
    exit::Exit,
    ledger::{Ledger, State},
    receipt,
};

fn codes(ends: &[hospital::End]) -> Vec<u8> {
    ends.iter().map(|end| end.outcome.as_ref().map_or_else(|error| error.exit().code(), |_| 0)).collect()
}

fn state(hospital: &Hospital, party: usize, run: &str) -> Option<State> {
    let ledger = Ledger::open(&hospital.state(party).join("ledger.sqlite")).unwrap();
    ledger.entry(run).unwrap().map(|entry| entry.state)
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn three_parties_get_one_result_and_one_receipt() {
    let hospital = Hospital::new();
    let run = "11".repeat(16);
    let ends = hospital.round(&run, false, None, |_| {});
    assert_eq!(codes(&ends), [0, 0, 0], "{:?}", ends.iter().map(|e| &e.outcome).collect::<Vec<_>>());
    let outcomes: Vec<_> = ends.iter().map(|end| end.outcome.as_ref().unwrap()).collect();
    let result = read(outcomes[0].result.as_ref().unwrap());
    let written = read(&outcomes[0].receipt);
    for outcome in &outcomes {
        assert!(read(outcome.result.as_ref().unwrap()) == result);
        assert!(read(&outcome.receipt) == written);
        assert_eq!(outcome.result_hash, outcomes[0].result_hash);
    }
    let keys = ends[0].keys(&hospital);
    let checks = receipt::verify(&written, Some(&result), Some(&keys));
    assert!(checks.iter().all(|check| check.ok), "{checks:?}");

    for (party, end) in ends.iter().enumerate() {
        assert_eq!(state(&hospital, party, &run), Some(State::Spent));
        assert!(matches!(&end.events[0], Event::Listening { .. }));
        assert!(matches!(&end.events[1], Event::Progress { phase: Phase::Agree, done: 0, total: 1 }));
        assert!(matches!(end.events.last(), Some(Event::Finished { result: Some(_), .. })));
        let mut phases: Vec<Phase> = Vec::new();
        for event in &end.events {
            if let Event::Progress { phase, .. } = event {
                assert!(phases.last().is_none_or(|last| last <= phase), "{:?}", end.events);
                phases.push(*phase);
            }
        }
        use Phase::*;
        for phase in [Agree, Rows, Share, Seal, Open, Report] {
            let over = end.events.iter().any(
                |event| matches!(event, Event::Progress { phase: p, done, total } if *p == phase && done == total),
            );
            assert!(over, "{phase:?} of party {party}: {:?}", end.events);
        }
        // Each trusts two keys for the first time, and says so once.
        let notices: Vec<_> = end
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Notice { message } => Some(message.as_str()),
                _ => None,
            })
            .collect();
        let peers = (0..3).filter(|peer| *peer != party).map(|peer| hospital::NAMES[peer]);
        assert!(
            matches!(notices[..], [notice] if peers.clone().all(|peer| notice.contains(peer))),
            "{notices:?}"
        );
    }

    // The same rows again, as another run: other noise, and keys that are known by now.
    let second = hospital.round(&"22".repeat(16), false, None, |_| {});
    assert_eq!(codes(&second), [0, 0, 0]);
    assert!(second[0].events.iter().all(|event| !matches!(event, Event::Notice { .. })));
    assert!(read(second[0].outcome.as_ref().unwrap().result.as_ref().unwrap()) != result);

    // The budget of 2 is used up: the third run is refused before anything is booked.
    let run = "33".repeat(16);
    let third = hospital.round(&run, false, None, |_| {});
    assert_eq!(codes(&third), [3, 3, 3]);
    let text = third[1].outcome.as_ref().unwrap_err().to_string();
    assert!(text.contains("asked 1, remaining 0 (total 2, spent 2, reserved 0)"), "{text}");
    assert!((0..3).all(|party| state(&hospital, party, &run).is_none()));
}

#[test]
fn an_interrupted_run_gives_back_what_it_reserved() {
    for phase in [Phase::Agree, Phase::Rows, Phase::Share] {
        let hospital = Hospital::new();
        let run = "44".repeat(16);
        let at = move |event: &Event| match event {
            Event::Progress { phase: p, done, .. } => *p == phase && (phase != Phase::Agree || *done == 1),
            _ => false,
        };
        let ends = hospital.round(&run, false, Some((1, Box::new(at))), |_| {});
        assert_eq!(ends[1].outcome.as_ref().unwrap_err().exit(), Exit::Interrupted, "{phase:?}");
        for (party, end) in ends.iter().enumerate() {
            let booked = state(&hospital, party, &run);
            match end.outcome.as_ref().unwrap_err().exit() {
                Exit::Interrupted | Exit::Peer => {
                    assert!(matches!(booked, None | Some(State::Released)), "{phase:?}: {booked:?}");
                }
                // The interrupted party had said that it has sealed: the others may be opening.
                Exit::Unfinished => assert!(party != 1 && booked == Some(State::Spent), "{phase:?}"),
                other => panic!("{phase:?}: {other:?}"),
            }
        }
        let resumed = hospital.round(&run, true, None, |_| {});
        assert_eq!(codes(&resumed), [0, 0, 0], "{phase:?}");
        assert!((0..3).all(|party| state(&hospital, party, &run) == Some(State::Spent)));
    }
}

#[test]
fn a_run_interrupted_while_it_opens_stays_spent_and_is_finished_later() {
    let hospital = Hospital::new();
    let run = "55".repeat(16);
    let at = |event: &Event| matches!(event, Event::Progress { phase: Phase::Open, .. });
    let ends = hospital.round(&run, false, Some((1, Box::new(at))), |_| {});
    assert!(codes(&ends).iter().all(|code| [0, 10].contains(code)), "{:?}", codes(&ends));
    assert!((0..3).all(|party| state(&hospital, party, &run) == Some(State::Spent)));
    let written: Vec<_> = (0..3).filter_map(|party| fs::read(hospital.result(party)).ok()).collect();
    let resumed = hospital.round(&run, true, None, |_| {});
    assert_eq!(codes(&resumed), [0, 0, 0]);
    assert!(written.iter().all(|bytes| *bytes == read(&hospital.result(0))));
}

#[test]
fn what_began_elsewhere_is_finished_with_its_state_or_not_at_all() {
    let hospital = Hospital::new();
    let run = "77".repeat(16);
    let at = |event: &Event| matches!(event, Event::Progress { phase: Phase::Open, .. });
    hospital.round(&run, false, Some((1, Box::new(at))), |_| {});
    let begun = |config: &mut PartyConfig| config.begun = true;
    // Its state folder was lost, or is another: nothing is drawn, and nothing is left that another try could take for it.
    let lost = hospital.folder().join("lost");
    let refused = || {
        let end = hospital.alone(&run, &|config| {
            (config.resume, config.begun, config.state) = (true, true, lost.clone());
        });
        let error = end.outcome.unwrap_err();
        assert_eq!(error.exit(), Exit::State, "{error}");
        assert!(error.to_string().contains("lacks the ledger or the folder of run"), "{error}");
    };
    refused();
    assert!(!lost.exists());
    // Nor is its ledger alone lost.
    let folder = lost.join("runs").join(&run);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("lock"), "").unwrap();
    refused();
    assert!(!lost.join("ledger.sqlite").exists());
    // A process that has the run still is waited for.
    let lock = fs::File::open(hospital.state(2).join("runs").join(&run).join("lock")).unwrap();
    lock.lock().unwrap();
    let late = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(700));
        drop(lock);
    });
    let resumed = hospital.round(&run, true, None, begun);
    assert_eq!(codes(&resumed), [0, 0, 0]);
    late.join().unwrap();
}

#[test]
fn faults_of_one_party_have_their_code_there_and_5_at_the_others() {
    let hospital = Hospital::new();
    let run = "66".repeat(16);
    fs::remove_file(hospital.rows(2)).unwrap();
    let ends = hospital.round(&run, false, None, |_| {});
    assert_eq!(codes(&ends), [5, 5, 4]);
    let told = ends[0].outcome.as_ref().unwrap_err().to_string();
    assert!(told.contains("gave up: its rows are not as the manifest says"), "{told}");
    assert!((0..3).all(|party| state(&hospital, party, &run).is_none()));
    assert!(matches!(ends[2].events.last(), Some(Event::Failed { code: 4, .. })));
}

#[test]
fn what_does_not_fit_the_manifest_is_usage() {
    let hospital = Hospital::new();
    let run = "77".repeat(16);
    let alone = |change: &dyn Fn(&mut veilgrid_party::config::PartyConfig)| {
        let end = hospital.alone(&run, change);
        let error = end.outcome.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{error}");
        error.to_string()
    };
    let stranger = alone(&|config| config.party = "west".into());
    assert!(stranger.contains("its parties are north, south, east"), "{stranger}");
    assert!(alone(&|config| config.job = Some("other".into())).contains("other"));
    assert!(alone(&|config| config.run = "../..".into()).contains("32"));
    assert!(alone(&|config| config.manifest = "none.yaml".into()).contains("none.yaml"));
    let partial = alone(&|config| {
        config.peers = [(NAMES[1].to_owned(), "127.0.0.1:1".to_owned())].into();
    });
    assert!(partial.contains("no address is given for peer east"), "{partial}");
    assert!(state(&hospital, 0, &run).is_none());
}

#[test]
fn an_absent_peer_is_waited_for_and_then_named() {
    let hospital = Hospital::new();
    let run = "88".repeat(16);
    let end = hospital.alone(&run, &|config| {
        config.patience_seconds = 1;
        config.peers = NAMES[1..].iter().map(|name| (name.to_string(), "127.0.0.1:1".to_owned())).collect();
    });
    let error = end.outcome.unwrap_err();
    assert_eq!(error.exit(), Exit::Peer);
    assert!(error.to_string().contains("south") && error.to_string().contains("east"), "{error}");
    assert!(state(&hospital, 0, &run).is_none());
}
