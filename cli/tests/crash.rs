//! Processes die, and runs are taken up again: one charge, one draw of noise, one result.

mod common;

use common::{
    NAMES, World, balance, holds, manifest,
    team::{Ending, Team},
};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread,
    time::Duration,
};
use veilgrid_party::{event::Phase, ledger::State};

const PHASES: [Phase; 6] = [Phase::Agree, Phase::Rows, Phase::Share, Phase::Seal, Phase::Open, Phase::Report];
/// A kill may land after the phase that it was meant for: so often it is tried again.
const TRIES: u32 = 25;
/// Rounds at a time. Most of a round is waiting.
const AT_ONCE: usize = 6;

/// Enough rows and cells that no phase is over at once.
fn world() -> World {
    let text = manifest(&(common::histogram("fine", 4096) + &common::histogram("finer", 4000)));
    World::with(40_000, &text)
}

/// What a round may leave, whoever died in it: the exit codes say what the ledgers hold.
fn check_round(world: &World, endings: &[Ending], what: &str) {
    for (party, ending) in NAMES.iter().zip(endings) {
        let state = world.entries(party).first().map(|entry| entry.state);
        match ending.code {
            Some(0 | 10) => assert_eq!(state, Some(State::Spent), "{what}: {party}: {}", ending.stderr),
            Some(5) => {
                assert!(matches!(state, None | Some(State::Released)), "{what}: {party}: {}", ending.stderr);
            }
            Some(code) => panic!("{what}: {party} ended with {code}: {}", ending.stderr),
            None => {}
        }
    }
}

/// Kills a party at its first word of a phase, then takes the run up. Whether the kill came before the next phase.
fn kill_and_resume(victim: usize, phase: Phase, run: &str) -> bool {
    let what = format!("{} killed at {phase:?}", NAMES[victim]);
    let world = world();
    let mut team = Team::new(&world, run, false);
    team.kill = Some((victim, phase));
    // The others notice by themselves.
    team.configs.iter_mut().for_each(|config| config.patience_seconds = 4);
    let endings = team.go();
    let hit = endings[victim].code.is_none() && endings[victim].phase() == Some(phase);
    check_round(&world, &endings, &what);
    let before = world.results();
    assert!(phase >= Phase::Seal || !hit || before.is_empty(), "{what}: {:?}", before.keys());

    let endings = Team::new(&world, run, true).go();
    for ending in &endings {
        assert_eq!(ending.code, Some(0), "{what}, resumed: {}", ending.stderr);
    }
    world.assert_charged_once(&what);
    let after = world.results();
    assert_eq!(after.len(), 3, "{what}");
    let bytes: BTreeSet<&Vec<u8>> = before.values().chain(after.values()).collect();
    assert_eq!(bytes.len(), 1, "{what}: two results");
    hit
}

#[test]
fn each_party_may_be_killed_at_each_phase() {
    let cases: Vec<(usize, Phase)> = (0..3).flat_map(|party| PHASES.map(|phase| (party, phase))).collect();
    let left = Mutex::new(cases.into_iter());
    let missed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let case = left.lock().unwrap().next();
                    let Some((party, phase)) = case else { return };
                    let hit = (0..TRIES).any(|_| kill_and_resume(party, phase, &"ab".repeat(16)));
                    if !hit {
                        missed.lock().unwrap().push((NAMES[party], phase));
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "never killed in time: {missed:?}");
}

/// Keeps a party among its rows: its file is a pipe, of which this end has more to say.
struct Held {
    rows: Vec<u8>,
    path: std::path::PathBuf,
    pipe: Option<File>,
}

impl Held {
    /// Puts a pipe in place of the party's rows.
    fn new(world: &World, party: &str) -> Self {
        let path = world.rows(party);
        let rows = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Self { rows, path, pipe: None }
    }

    /// Gives the reader the first half of the rows, once it is there.
    fn give_half(&mut self) {
        let mut pipe = File::options().write(true).open(&self.path).unwrap();
        pipe.write_all(&self.rows[..self.rows.len() / 2]).unwrap();
        self.pipe = Some(pipe);
    }

    /// Puts the file of rows back.
    fn end(self) {
        drop(self.pipe);
        fs::remove_file(&self.path).unwrap();
        fs::write(&self.path, self.rows).unwrap();
    }
}

/// `veilgrid run`, heard line by line.
struct Launcher {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    heard: String,
}

impl Launcher {
    fn start(world: &World, more: &[&str]) -> Self {
        let mut child = world.command(more).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, heard: String::new() }
    }

    /// Waits until it says this; false where it ends first.
    fn hear(&mut self, what: &str) -> bool {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            self.heard += &line;
            self.heard.push('\n');
            if line.contains(what) {
                return true;
            }
        }
        false
    }

    /// Everything else that it says, and its exit code.
    fn end(mut self) -> (Option<i32>, String) {
        self.hear("\0");
        (self.child.wait().unwrap().code(), self.heard)
    }
}

/// The living processes whose parent this is, with their command lines.
fn children(parent: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let Ok(pid) = entry.unwrap().file_name().to_string_lossy().parse::<u32>() else { continue };
        if alive(pid).is_some_and(|of| of == parent) {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            found.push((pid, String::from_utf8_lossy(&words).replace('\0', " ")));
        }
    }
    found
}

/// The parent of a process that has not ended.
fn alive(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the program's name, in parentheses: state, parent.
    let mut words = text.rsplit_once(") ")?.1.split(' ');
    let state = words.next()?;
    (!["Z", "X"].contains(&state)).then(|| words.next()?.parse().ok()).flatten()
}

/// The party processes of a launcher.
fn parties(launcher: &Launcher) -> Vec<u32> {
    let found = children(launcher.child.id());
    assert!(
        found.len() == 3 && found.iter().all(|(_, words)| words.contains(" party --config -")),
        "{found:?}"
    );
    found.into_iter().map(|(pid, _)| pid).collect()
}

/// Waits for processes to end.
fn gone(pids: &[u32]) {
    while pids.iter().any(|pid| alive(*pid).is_some()) {
        thread::sleep(Duration::from_millis(10));
    }
}

fn assert_finished(
    world: &World,
    before: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>,
    what: &str,
) {
    world.assert_charged_once(what);
    let after = world.results();
    let mut bytes: BTreeSet<&Vec<u8>> = before.values().chain(after.values()).collect();
    let out = fs::read(world.out().join("result.json")).unwrap();
    bytes.insert(&out);
    assert!(after.len() == 3 && bytes.len() == 1, "{what}: {:?}", after.keys());
}

/// Told to end, by a signal or by the death of who started them, parties give back what they have reserved.
fn assert_released(world: &World) {
    for party in NAMES {
        let states: Vec<State> = world.entries(party).iter().map(|entry| entry.state).collect();
        assert_eq!(states, [State::Released], "{party}");
        assert_eq!(balance(&world.state(), party), Default::default(), "{party}");
    }
    assert!(world.results().is_empty());
}

/// A run whose parties have all reserved, and one of which is among its rows.
fn held(world: &World) -> (Launcher, Held) {
    let mut pipe = Held::new(world, "south");
    let mut launcher = Launcher::start(world, &[]);
    pipe.give_half();
    assert!(launcher.hear("agree on the plan: done"), "{}", launcher.heard);
    (launcher, pipe)
}

#[test]
fn a_launcher_killed_among_the_rows_takes_its_parties_along_and_nothing_is_charged() {
    let world = world();
    let (mut launcher, pipe) = held(&world);
    let pids = parties(&launcher);
    launcher.child.kill().unwrap();
    assert_eq!(launcher.end().0, None);
    gone(&pids);
    assert_released(&world);
    pipe.end();
    let said = world.run(&["--resume"]).expect(0);
    holds(&said.stdout, &["epsilon 7 of 10"]);
    for party in NAMES {
        assert_eq!(balance(&world.state(), party).spent_epsilon.to_string(), "3");
    }
    assert_finished(&world, &Default::default(), "launcher killed among the rows");
}

#[test]
fn a_launcher_may_be_killed_at_any_phase() {
    for phase in
        ["sum the rows", "noise and share", "make it durable", "open the noised sum", "sign and report"]
    {
        let world = world();
        let mut launcher = Launcher::start(&world, &[]);
        assert!(launcher.hear("agree on the plan: done"), "{}", launcher.heard);
        let pids: Vec<u32> = children(launcher.child.id()).into_iter().map(|(pid, _)| pid).collect();
        assert!(launcher.hear(&format!("{phase}: done")), "{}", launcher.heard);
        launcher.child.kill().unwrap();
        let (code, words) = launcher.end();
        gone(&pids);
        for party in NAMES {
            // Settled, one way or the other.
            let states: Vec<State> = world.entries(party).iter().map(|entry| entry.state).collect();
            assert!(states == [State::Released] || states == [State::Spent], "{phase}: {states:?}");
        }
        let before = world.results();
        if code.is_none() {
            world.run(&["--resume"]).expect(0);
        } else {
            assert_eq!(code, Some(0), "{phase}: {words}");
        }
        assert_finished(&world, &before, phase);
    }
}

#[test]
fn a_party_killed_under_its_launcher_is_named_and_the_run_is_resumed() {
    let world = world();
    let (launcher, pipe) = held(&world);
    common::signal(parties(&launcher)[2], "KILL");
    let (code, words) = launcher.end();
    assert_eq!(code, Some(10), "{words}");
    holds(&words, &["was killed; run again with --resume"]);
    pipe.end();
    world.run(&["--resume"]).expect(0);
    assert_finished(&world, &Default::default(), "a party killed under its launcher");
}

#[test]
fn ctrl_c_before_anything_is_opened_gives_everything_back() {
    for name in ["INT", "TERM"] {
        let world = world();
        let (launcher, pipe) = held(&world);
        let pids = parties(&launcher);
        common::signal(launcher.child.id(), name);
        let (code, words) = launcher.end();
        assert_eq!(code, Some(9), "{words}");
        holds(&words, &["stopping", "interrupted"]);
        gone(&pids);
        assert_released(&world);
        assert!(!Path::new(&world.out()).join("result.json").exists());
        pipe.end();
        let said = world.run(&["--resume"]).expect(2);
        holds(&said.stderr, &["no unfinished run of default/wards"]);
        // A new run is another matter.
        world.run(&[]).expect(0);
    }
}
