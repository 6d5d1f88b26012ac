//! Three parties with folders, certificates and rows of their own, each run in a thread.

use crate::certificates::Authority;
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::sync::{Notify, watch};
use veilgrid_party::{
    config::PartyConfig,
    event::{Event, Events},
    identity::Identity,
    run::{Outcome, RunError, run},
};

pub(crate) const NAMES: [&str; 3] = ["north", "south", "east"];

/// How a party's run ended, and what it said.
pub(crate) struct End {
    pub(crate) outcome: Result<Outcome, RunError>,
    pub(crate) events: Vec<Event>,
}

impl End {
    pub(crate) fn keys(&self, hospital: &Hospital) -> BTreeMap<String, String> {
        let key = |party| Identity::open_or_create(&hospital.state(party)).unwrap().public_key_hex();
        (0..3).map(|party| (NAMES[party].to_owned(), key(party))).collect()
    }
}

/// When to interrupt.
pub(crate) type When = Box<dyn Fn(&Event) -> bool + Send + Sync>;

pub(crate) struct Hospital {
    folder: tempfile::TempDir,
    authority: Authority,
}

/// Collects events, tells the listening address, and rings at an event.
struct Ear {
    party: usize,
    heard: Mutex<Vec<Event>>,
    addresses: Arc<watch::Sender<BTreeMap<String, String>>>,
    when: Option<When>,
    ring: Notify,
}

impl Events for Ear {
    fn emit(&self, event: Event) {
        if let Event::Listening { address } = &event {
            self.addresses.send_modify(|known| {
                known.insert(NAMES[self.party].to_owned(), address.to_string());
            });
        }
        if self.when.as_ref().is_some_and(|when| when(&event)) {
            self.ring.notify_one();
        }
        self.heard.lock().unwrap().push(event);
    }
}

impl Hospital {
    pub(crate) fn new() -> Self {
        let hospital = Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new() };
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
  computation:
    statistics:
      - {name: rows, count: {}}
      - {name: age, mean: {column: age}}
"
        .to_owned();
        for (party, name) in NAMES.iter().enumerate() {
            text += &format!(
                "---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateDataset
metadata: {{name: {name}}}
spec:
  source: {{path: {name}.csv}}
  columns: [{{name: age, number: {{min: 0, max: 100}}}}]
  maxRows: 1000
  budget: {name}
---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivacyBudget
metadata: {{name: {name}}}
spec: {{epsilon: 2}}
"
            );
            let rows: String = (0..100 + party).map(|row| format!("{}\n", 20 + row % 60)).collect();
            fs::write(hospital.rows(party), format!("age\n{rows}")).unwrap();
        }
        fs::write(hospital.folder.path().join("job.yaml"), text).unwrap();
        hospital
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn rows(&self, party: usize) -> PathBuf {
        self.folder.path().join(format!("{}.csv", NAMES[party]))
    }

    pub(crate) fn state(&self, party: usize) -> PathBuf {
        self.folder.path().join("state").join(NAMES[party])
    }

    pub(crate) fn result(&self, party: usize) -> PathBuf {
        self.folder.path().join("out").join(NAMES[party]).join("result.json")
    }

    fn config(&self, party: usize, run: &str, resume: bool) -> PartyConfig {
        PartyConfig {
            manifest: self.folder.path().join("job.yaml"),
            job: None,
            party: NAMES[party].into(),
            run: run.into(),
            state: self.state(party),
            out: self.folder.path().join("out").join(NAMES[party]),
            resume,
            begun: false,
            listen: ([127, 0, 0, 1], 0).into(),
            peers: BTreeMap::new(),
            tls: self.authority.issue(NAMES[party], |_| {}),
            patience_seconds: 30,
            termination: None,
            print_result: false,
            store: None,
        }
    }

    /// All parties at once; one may be interrupted at an event.
    pub(crate) fn round(
        &self,
        name: &str,
        resume: bool,
        interrupted: Option<(usize, When)>,
        change: impl Fn(&mut PartyConfig),
    ) -> Vec<End> {
        let addresses = Arc::new(watch::channel(BTreeMap::new()).0);
        let mut whens: [Option<When>; 3] = [None, None, None];
        if let Some((party, when)) = interrupted {
            whens[party] = Some(when);
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = whens
                .into_iter()
                .enumerate()
                .map(|(party, when)| {
                    let mut config = self.config(party, name, resume);
                    change(&mut config);
                    let addresses = addresses.clone();
                    scope.spawn(move || take_part(config, party, addresses, when, 3))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// The first party without the others.
    pub(crate) fn alone(&self, name: &str, change: &dyn Fn(&mut PartyConfig)) -> End {
        let mut config = self.config(0, name, false);
        change(&mut config);
        take_part(config, 0, Arc::new(watch::channel(BTreeMap::new()).0), None, 1)
    }
}

fn take_part(
    config: PartyConfig,
    party: usize,
    addresses: Arc<watch::Sender<BTreeMap<String, String>>>,
    when: Option<When>,
    parties: usize,
) -> End {
    let mut known = addresses.subscribe();
    let ear = Ear { party, heard: Mutex::default(), addresses, when, ring: Notify::new() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let peers = async {
        let all = known.wait_for(|known| known.len() == parties).await.expect("the sender lives");
        Ok(all.clone())
    };
    let outcome = runtime.block_on(run(config, peers, &ear, ear.ring.notified()));
    End { outcome, events: ear.heard.into_inner().unwrap() }
}
