//! A disk that takes no more: a child process runs the parties under a limit on the size of a file.

use super::world::{Ending, World};
use crate::ledger::State;
use std::{path::Path, process::Command};

const FOLDER: &str = "VEILGRID_TEST_WORLD";
const CHILD: &str = "run::crash_tests::disk::child_runs_the_parties";

/// The child: prints each party's exit code and words.
#[test]
#[allow(clippy::print_stdout)]
fn child_runs_the_parties() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    for ending in World::at(Path::new(&folder)).round(true, [None; 3]) {
        println!("ending {} {ending:?}", ending.code().unwrap());
    }
}

/// Exit codes and words of the parties where no file may grow beyond `bytes`; `None` where the system has no `prlimit`.
fn round_within(world: &World, bytes: u32) -> Option<Vec<(u8, String)>> {
    let script = format!("trap '' XFSZ; exec prlimit --fsize={bytes} \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture"])
        .env(FOLDER, world.folder())
        .output()
        .unwrap();
    if output.status.code() == Some(127) {
        assert!(std::env::var_os("CI").is_none(), "prlimit (util-linux) is needed");
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let endings: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once("ending ")?.1.split_once(' '))
        .map(|(code, words)| (code.parse().unwrap(), words.to_owned()))
        .collect();
    assert_eq!(endings.len(), 3, "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(endings)
}

#[allow(clippy::print_stderr)]
fn skip() {
    eprintln!("skipped: the system has no prlimit");
}

#[test]
fn a_sum_that_does_not_fit_releases_and_a_result_that_does_not_fit_is_resumed() {
    // 12288 cells and more: 98 kB of sum. A ledger has 45 kB.
    let world = World::large(3);
    let Some(endings) = round_within(&world, 64 << 10) else { return skip() };
    assert!(endings.iter().any(|(code, words)| *code == 8 && words.contains("sum.bin")), "{endings:?}");
    assert!(endings.iter().all(|(code, _)| [5, 8].contains(code)), "{endings:?}");
    assert!((0..3).all(|party| world.balance(party) == Default::default()), "{endings:?}");
    let drafts = |party| std::fs::read_dir(world.run_folder(party)).unwrap().count();
    assert!((0..3).all(|party| drafts(party) == 2), "checkpoint and lock, no draft");

    // The sum fits into 128 kB, the result does not.
    let endings = round_within(&world, 128 << 10).unwrap();
    assert!(endings.iter().any(|(code, words)| *code == 10 && words.contains("result.json")), "{endings:?}");
    assert!((0..3).all(|party| world.entries(party)[0].state == State::Spent), "{endings:?}");
    assert!(world.result(0).is_none() && world.result(2).is_none());

    let endings = world.round(true, [None; 3]);
    world.assert_finished(&endings, "with room again");
}

#[test]
fn a_ledger_that_cannot_be_written_reserves_nothing() {
    let world = World::new(["2", "2", "2"]);
    // A first round makes the ledgers, and fails for want of a file.
    let rows = std::fs::read(world.rows("east")).unwrap();
    std::fs::remove_file(world.rows("east")).unwrap();
    let endings = world.round(false, [None; 3]);
    assert_eq!(endings[2].code(), Some(4), "{endings:?}");
    std::fs::write(world.rows("east"), rows).unwrap();
    let Some(endings) = round_within(&world, 2 << 10) else { return skip() };
    assert!(endings.iter().any(|(code, words)| *code == 8 && words.contains("ledger.sqlite")), "{endings:?}");
    assert!((0..3).all(|party| world.balance(party) == Default::default()));
    let endings = world.round(true, [None; 3]);
    assert!(endings.iter().all(|ending| matches!(ending, Ending::Done)), "{endings:?}");
    world.assert_finished(&endings, "with room again");
}
