//! Three parties in one process, each with its folders, whose runs can die at any point.

use super::super::{
    error::RunError,
    prepare::{self, Prepared},
    session::{Faults, Point},
};
use crate::{
    config::{PartyConfig, TlsConfig},
    event::{Event, Events},
    handshake,
    ledger::{Balance, Charge, Entry, Ledger},
    protocol::memory::{MemoryLinks, Tamper, network},
    receipt,
    transport::links::{Kind, Links},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::Notify;
use veilgrid_api::amount::{Delta, Epsilon};

pub(super) const NAMES: [&str; 3] = ["north", "south", "east"];
pub(super) const RUN: &str = "00112233445566778899aabbccddeeff";

/// How a party's process ended.
pub(super) enum Ending {
    Done,
    Failed(RunError),
    Died,
}

impl Ending {
    pub(super) fn code(&self) -> Option<u8> {
        match self {
            Self::Done => Some(0),
            Self::Failed(error) => Some(error.exit().code()),
            Self::Died => None,
        }
    }
}

impl std::fmt::Debug for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Died => f.write_str("died"),
        }
    }
}

/// Where each party dies.
pub(super) type Deaths = [Option<Point>; 3];

pub(super) struct World {
    folder: PathBuf,
    _owned: Option<tempfile::TempDir>,
}

struct Silent;

impl Events for Silent {
    fn emit(&self, _: Event) {}
}

struct Death {
    point: Option<Point>,
    reached: Notify,
}

impl Faults for Death {
    fn dies_at(&self, point: Point) -> bool {
        let dies = self.point == Some(point);
        if dies {
            self.reached.notify_one();
        }
        dies
    }
}

impl World {
    /// Parties with a few rows each; south is no recipient. Budgets allow two runs, or as said.
    pub(super) fn new(budgets: [&str; 3]) -> Self {
        Self::with(&manifest(budgets, 0))
    }

    /// With so many histograms of 4096 bins besides.
    pub(super) fn large(histograms: usize) -> Self {
        Self::with(&manifest(["2", "2", "2"], histograms))
    }

    /// The world that another process made.
    pub(super) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), _owned: None }
    }

    fn with(manifest: &str) -> Self {
        let owned = tempfile::tempdir().unwrap();
        let world = Self { folder: owned.path().to_owned(), _owned: Some(owned) };
        fs::write(world.manifest(), manifest).unwrap();
        for (i, name) in NAMES.iter().enumerate() {
            let rows: String = (0..20 + i).map(|row| format!("{}\n", row % 7)).collect();
            fs::write(world.rows(name), format!("age\n{rows}")).unwrap();
        }
        world
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn manifest(&self) -> PathBuf {
        self.folder.join("job.yaml")
    }

    pub(super) fn rows(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.csv"))
    }

    pub(super) fn state(&self, party: usize) -> PathBuf {
        self.folder.join("state").join(NAMES[party])
    }

    pub(super) fn run_folder(&self, party: usize) -> PathBuf {
        self.state(party).join("runs").join(RUN)
    }

    fn out(&self, party: usize) -> PathBuf {
        self.folder.join("out").join(NAMES[party])
    }

    fn config(&self, party: usize, run: &str, resume: bool) -> PartyConfig {
        PartyConfig {
            manifest: self.manifest(),
            job: None,
            party: NAMES[party].into(),
            run: run.into(),
            state: self.state(party),
            out: self.out(party),
            resume,
            begun: false,
            listen: ([127, 0, 0, 1], 0).into(),
            peers: BTreeMap::new(),
            tls: TlsConfig {
                authority: String::new(),
                certificate: String::new(),
                key: String::new().into(),
                bundle: None,
            },
            patience_seconds: 10,
            termination: None,
            print_result: false,
            store: None,
        }
    }

    /// Runs all parties at once, each in a thread of its own.
    pub(super) fn round(&self, resume: bool, deaths: Deaths) -> Vec<Ending> {
        self.watched(RUN, resume, deaths, None)
    }

    /// A round of a run of this name, whose messages somebody may see.
    pub(super) fn watched(
        &self,
        run: &str,
        resume: bool,
        deaths: Deaths,
        tamper: Option<Tamper>,
    ) -> Vec<Ending> {
        let (links, _) = network(&NAMES, tamper);
        std::thread::scope(|scope| {
            let threads: Vec<_> = links
                .into_iter()
                .zip(deaths)
                .map(|(links, point)| {
                    let config = self.config(links.me(), run, resume);
                    scope.spawn(move || {
                        let runtime =
                            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                        runtime.block_on(live(config, links, point))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    pub(super) fn entries(&self, party: usize) -> Vec<Entry> {
        Ledger::open(&self.state(party).join("ledger.sqlite")).unwrap().entries().unwrap()
    }

    pub(super) fn balance(&self, party: usize) -> Balance {
        let ledger = Ledger::open(&self.state(party).join("ledger.sqlite")).unwrap();
        ledger.balance(&format!("default/{}", NAMES[party])).unwrap()
    }

    /// Books another run on a party's budget, as spent.
    pub(super) fn spend(&self, party: usize, epsilon: &str) {
        fs::create_dir_all(self.state(party)).unwrap();
        let mut ledger = Ledger::open(&self.state(party).join("ledger.sqlite")).unwrap();
        let charge = Charge {
            run: "ff".repeat(16),
            job: "default/earlier".into(),
            dataset: format!("default/{}", NAMES[party]),
            budget: format!("default/{}", NAMES[party]),
            plan: "00".repeat(32),
            epsilon: epsilon.parse().unwrap(),
            delta: Delta::ZERO,
        };
        ledger.reserve(&charge, (Epsilon::MAX, Delta::MAX)).unwrap();
        ledger.commit(&charge.run).unwrap();
    }

    pub(super) fn result(&self, party: usize) -> Option<Vec<u8>> {
        fs::read(self.out(party).join("result.json")).ok()
    }

    pub(super) fn receipt(&self, party: usize) -> Option<Vec<u8>> {
        fs::read(self.out(party).join("receipt.json")).ok()
    }

    /// Every party is done: one charge, one result, the same bytes everywhere, and a receipt that holds.
    pub(super) fn assert_finished(&self, endings: &[Ending], what: &str) {
        assert!(endings.iter().all(|ending| matches!(ending, Ending::Done)), "{what}: {endings:?}");
        let result = self.result(0).unwrap();
        let receipt = self.receipt(0).unwrap();
        for party in 0..3 {
            let entries = self.entries(party);
            assert_eq!(entries.len(), 1, "{what}");
            assert_eq!(self.balance(party).spent_epsilon.to_string(), "1", "{what}");
            assert_eq!(self.balance(party).reserved_epsilon.to_string(), "0", "{what}");
            assert!(self.receipt(party).unwrap() == receipt, "{what}: receipts differ");
        }
        assert!(self.result(1).is_none(), "south is no recipient");
        assert!(self.result(2).unwrap() == result, "{what}: results differ");
        let checks = receipt::verify(&receipt, Some(&result), None);
        assert!(checks.iter().all(|check| check.ok), "{what}: {checks:?}");
    }
}

async fn live(config: PartyConfig, links: MemoryLinks, point: Option<Point>) -> Ending {
    let death = Death { point, reached: Notify::new() };
    let Prepared { mut session, mut known, ready, opening } = match prepare::prepare(&config, &Silent) {
        Ok(prepared) => prepared,
        Err(error) => return Ending::Failed(error),
    };
    session.faults = &death;
    let work = async {
        let ready = prepare::open(&mut session, ready, opening).await;
        let fingerprints = [[0; 32]; 3];
        let agreed =
            handshake::agree(&links, &fingerprints, &session.plan, &session.identity, &mut known).await?;
        ready?;
        session.drive(&links, agreed.signatures).await
    };
    let ended = tokio::select! {
        ended = tokio::time::timeout(Duration::from_secs(60), work) => ended.expect("a party hangs"),
        // As after `kill -9`: nothing more is done or said.
        () = death.reached.notified() => return Ending::Died,
    };
    match ended {
        Ok(_) => Ending::Done,
        Err(error) => {
            let error = session.settle(error);
            for peer in (0..3).filter(|peer| *peer != links.me()) {
                let told = links.send(peer, Kind::Abort, error.told().into_bytes());
                let _ = tokio::time::timeout(Duration::from_millis(200), told).await;
            }
            Ending::Failed(error)
        }
    }
}

fn manifest(budgets: [&str; 3], histograms: usize) -> String {
    let mut text = "
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateJob
metadata: {name: ages}
spec:
  parties:
    - {name: north, dataset: {name: north}}
    - {name: south, dataset: {name: south}}
    - {name: east, dataset: {name: east}}
  privacy: {epsilon: 1}
  recipients: [north, east]
  computation:
    statistics:
      - {name: rows, count: {}}
      - {name: age, mean: {column: age}}
      - {name: ages, histogram: {column: age, edges: [0, 2, 4, 8]}}
"
    .to_owned();
    let edges: Vec<String> = (0..=4096).map(|i| (f64::from(i) / 512.0).to_string()).collect();
    for i in 0..histograms {
        let edges = edges.join(", ");
        text += &format!("      - {{name: fine {i}, histogram: {{column: age, edges: [{edges}]}}}}\n");
    }
    for (name, budget) in NAMES.iter().zip(budgets) {
        text += &format!(
            "---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateDataset
metadata: {{name: {name}}}
spec:
  source: {{path: {name}.csv}}
  columns: [{{name: age, number: {{min: 0, max: 8}}}}]
  maxRows: 1000
  budget: {name}
---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivacyBudget
metadata: {{name: {name}}}
spec: {{epsilon: {budget}}}
"
        );
    }
    text
}

/// The files of a folder and all below it, with their bytes.
pub(super) fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(snapshot(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}
