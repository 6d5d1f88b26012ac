//! The parties of a [`World`] as processes of `veilgrid party`, each heard event by event.

#[path = "../../../party/tests/common/certificates.rs"]
pub mod certificates;

use super::{NAMES, World, veilgrid};
use certificates::Authority;
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, Stdio},
    sync::mpsc::{self, Sender},
    thread,
};
use veilgrid_party::{
    config::PartyConfig,
    event::{Event, Phase},
};

/// How a party's process ended, and all that it said.
#[derive(Debug)]
pub struct Ending {
    /// `None`: it was killed.
    pub code: Option<i32>,
    pub events: Vec<Event>,
    /// Standard output, whole.
    pub stdout: String,
    pub stderr: String,
}

impl Ending {
    /// The last phase that it said it was in.
    pub fn phase(&self) -> Option<Phase> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Progress { phase, .. } => Some(*phase),
            _ => None,
        })
    }
}

/// Parties that are about to run.
pub struct Team<'a> {
    world: &'a World,
    pub run: String,
    pub configs: Vec<PartyConfig>,
    /// The party to kill, at its first word of this phase.
    pub kill: Option<(usize, Phase)>,
}

enum News {
    Listens(usize, String),
    Ended(usize, Box<Ending>),
}

impl<'a> Team<'a> {
    /// The world's parties in a run with this name, with certificates of a new authority.
    pub fn new(world: &'a World, run: &str, resume: bool) -> Self {
        let authority = Authority::new();
        let config = |name: &&str| PartyConfig {
            manifest: world.manifest(),
            job: None,
            party: (*name).to_owned(),
            run: run.to_owned(),
            state: world.state().join(name),
            out: results(world, name, run),
            resume,
            begun: false,
            listen: ([127, 0, 0, 1], 0).into(),
            peers: BTreeMap::new(),
            tls: authority.issue(name, |_| {}),
            patience_seconds: 60,
            termination: None,
            print_result: false,
            store: None,
        };
        Self { world, run: run.to_owned(), configs: NAMES.iter().map(config).collect(), kill: None }
    }

    /// Runs all parties to their ends.
    pub fn go(self) -> Vec<Ending> {
        let (sender, news) = mpsc::channel();
        let mut inputs = Vec::new();
        for (party, config) in self.configs.iter().enumerate() {
            let path = self.world.path().join(format!("{}-{}.json", self.run, NAMES[party]));
            fs::write(&path, serde_json::to_vec(config).unwrap()).unwrap();
            let mut child = veilgrid()
                .args(["party", "--config"])
                .arg(&path)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            inputs.push(child.stdin.take().unwrap());
            let sender = sender.clone();
            let kill = self.kill.filter(|(victim, _)| *victim == party).map(|(_, phase)| phase);
            thread::spawn(move || listen(party, child, kill, &sender));
        }
        let mut addresses = BTreeMap::new();
        let mut endings: Vec<Option<Ending>> = NAMES.iter().map(|_| None).collect();
        while endings.iter().any(Option::is_none) {
            match news.recv().unwrap() {
                News::Listens(party, address) => {
                    addresses.insert(NAMES[party], address);
                    if addresses.len() == NAMES.len() {
                        let line = serde_json::to_string(&addresses).unwrap() + "\n";
                        // One that is dead by now needs no introduction.
                        inputs.iter_mut().for_each(|input| drop(input.write_all(line.as_bytes())));
                    }
                }
                News::Ended(party, ending) => {
                    endings[party] = Some(*ending);
                    if !addresses.contains_key(NAMES[party]) {
                        // Who ends before it could be introduced leaves the others nobody to wait for.
                        inputs.clear();
                    }
                }
            }
        }
        endings.into_iter().flatten().collect()
    }
}

/// Where a party of a world keeps what a run gave it.
pub fn results(world: &World, name: &str, run: &str) -> PathBuf {
    world.state().join(name).join("results").join(run)
}

fn listen(party: usize, mut child: Child, kill: Option<Phase>, sender: &Sender<News>) {
    let mut errors = child.stderr.take().unwrap();
    let words = thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        text
    });
    let (mut events, mut stdout) = (Vec::new(), String::new());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let event: Event = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no event: {line}"));
        match &event {
            Event::Progress { phase, .. } if kill == Some(*phase) => child.kill().unwrap(),
            Event::Listening { address } => drop(sender.send(News::Listens(party, address.to_string()))),
            _ => {}
        }
        stdout += &line;
        stdout.push('\n');
        events.push(event);
    }
    let code = child.wait().unwrap().code();
    let ending = Ending { code, events, stdout, stderr: words.join().unwrap() };
    // The receiver is gone only where the test has failed.
    let _ = sender.send(News::Ended(party, Box::new(ending)));
}
