//! The program as a user starts it, with made-up rows in folders of their own.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

pub mod team;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;
use veilgrid_party::ledger::{self, Balance, Entry, Ledger, State};

pub const NAMES: [&str; 3] = ["north", "south", "east"];
/// A number that stands in rows and must stand nowhere else.
pub const SECRET_NUMBER: &str = "271828.1828";
/// A word that stands in rows and must stand nowhere else.
pub const SECRET_WORD: &str = "zz-secret-zz";

/// The program.
pub fn veilgrid() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilgrid"));
    command.env("NO_COLOR", "1").env_remove("VEILGRID_LEVEL");
    command
}

/// What a finished process said and its exit code.
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Said {
    /// Fails, with all that was said, where the exit code is another.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// Fails where `text` lacks one of these parts.
#[track_caller]
pub fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

/// A folder with a manifest and rows for three parties, and what runs make of it.
pub struct World {
    folder: TempDir,
}

impl World {
    /// Three parties with CSV rows, epsilon 3 of 10 asked, on the CPU.
    pub fn new() -> Self {
        Self::with(30, &manifest(""))
    }

    /// Three parties with this manifest and about so many CSV rows each.
    pub fn with(rows: usize, manifest: &str) -> Self {
        let world = Self { folder: TempDir::new().unwrap() };
        fs::write(world.manifest(), manifest).unwrap();
        for (party, name) in NAMES.iter().enumerate() {
            fs::write(world.rows(name), csv(rows + party)).unwrap();
        }
        world
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn manifest(&self) -> PathBuf {
        self.path().join("job.yaml")
    }

    /// Changes the manifest's text, which must hold `from`.
    pub fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.manifest()).unwrap();
        assert!(text.contains(from), "{from:?} is not in\n{text}");
        fs::write(self.manifest(), text.replace(from, to)).unwrap();
    }

    pub fn rows(&self, name: &str) -> PathBuf {
        self.path().join(format!("{name}.csv"))
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    pub fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// `veilgrid run` of the manifest, ready to start.
    pub fn command(&self, more: &[&str]) -> Command {
        run_command(&self.manifest(), &self.state(), &self.out(), more)
    }

    /// `veilgrid run` of the manifest, to its end.
    pub fn run(&self, more: &[&str]) -> Said {
        self.command(more).output().unwrap().into()
    }

    /// A party's ledger, where it has one.
    pub fn entries(&self, party: &str) -> Vec<Entry> {
        entries(&self.state(), party)
    }

    /// Fails where a ledger holds anything reserved or spent.
    #[track_caller]
    pub fn assert_nothing_charged(&self) {
        for party in NAMES {
            assert_eq!(balance(&self.state(), party), Balance::default(), "{party}");
        }
    }

    /// Fails where a ledger does not hold exactly one charge, spent once.
    #[track_caller]
    pub fn assert_charged_once(&self, what: &str) {
        for party in NAMES {
            let entries = self.entries(party);
            let states: Vec<State> = entries.iter().map(|entry| entry.state).collect();
            assert_eq!(states, [State::Spent], "{what}: {party}");
            let ledger = Ledger::open(&self.state().join(party).join(ledger::FILE)).unwrap();
            let spent = ledger.history().unwrap().iter().filter(|step| step.state == State::Spent).count();
            assert_eq!(spent, 1, "{what}: {party}");
            let balance = balance(&self.state(), party);
            assert_eq!(balance.spent_epsilon.to_string(), "3", "{what}: {party}");
            assert_eq!(balance.reserved_epsilon.to_string(), "0", "{what}: {party}");
        }
    }

    /// Every `result.json` of the state folder, with its bytes.
    pub fn results(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = files(&self.state());
        found.retain(|path, _| path.ends_with("result.json"));
        found
    }

    /// Fails where a planted secret stands in a file that a run wrote, or in these texts.
    #[track_caller]
    pub fn assert_no_secret(&self, texts: &[&str]) {
        let mut all: Vec<(String, Vec<u8>)> =
            texts.iter().map(|text| ("what was said".to_owned(), text.as_bytes().to_vec())).collect();
        for folder in [self.state(), self.out()] {
            all.extend(files(&folder).into_iter().map(|(path, bytes)| (path.display().to_string(), bytes)));
        }
        for (place, bytes) in all {
            for secret in [SECRET_NUMBER, "271828", SECRET_WORD] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} stands in {place}");
            }
        }
    }
}

/// `veilgrid run`, ready to start.
pub fn run_command(manifest: &Path, state: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = veilgrid();
    command.arg("run").arg(manifest).arg("--state").arg(state).arg("--out").arg(out).args(more);
    command
}

/// A party's ledger, where it has one.
pub fn entries(state: &Path, party: &str) -> Vec<Entry> {
    let path = state.join(party).join(ledger::FILE);
    if path.exists() { Ledger::open(&path).unwrap().entries().unwrap() } else { Vec::new() }
}

/// What a party's budget of its own name has booked.
pub fn balance(state: &Path, party: &str) -> Balance {
    let path = state.join(party).join(ledger::FILE);
    if !path.exists() {
        return Balance::default();
    }
    Ledger::open(&path).unwrap().balance(&format!("default/{party}")).unwrap()
}

/// The bytes of every ledger of a state folder.
pub fn ledgers(state: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = files(state);
    found.retain(|path, _| path.ends_with(ledger::FILE));
    found
}

/// The files of a folder and all below it, with their bytes; none where there is no folder.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(list) = fs::read_dir(folder) else { return found };
    for entry in list {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// Rows with the secrets among them: a number far out of bounds and a word in a column that no statistic uses.
pub fn csv(rows: usize) -> String {
    let mut text = format!("pay,ward,note\n{SECRET_NUMBER},a,{SECRET_WORD}\n");
    for row in 0..rows {
        let ward = if row % 3 == 0 { "a" } else { "b" };
        text += &format!("{}.5,{ward},{SECRET_WORD}\n", row % 64);
    }
    text
}

/// A manifest of three parties; `statistics` are more items of that list.
pub fn manifest(statistics: &str) -> String {
    let mut text = format!(
        "apiVersion: veilgrid.dev/v1alpha1
kind: PrivateJob
metadata: {{name: wards}}
spec:
  parties:
    - {{name: north, dataset: {{name: north}}}}
    - {{name: south, dataset: {{name: south}}}}
    - {{name: east, dataset: {{name: east}}}}
  device: cpu
  privacy: {{epsilon: 3}}
  computation:
    statistics:
      - {{name: rows, count: {{}}, groupBy: ward}}
      - {{name: pay, mean: {{column: pay}}}}
{statistics}"
    );
    for name in NAMES {
        text += &format!(
            "---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateDataset
metadata: {{name: {name}}}
spec:
  source: {{path: {name}.csv}}
  columns:
    - {{name: pay, number: {{min: 0, max: 64, fractionBits: 6}}}}
    - {{name: ward, category: {{values: [a, b]}}}}
  maxRows: 1000000
  budget: {name}
---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivacyBudget
metadata: {{name: {name}}}
spec: {{epsilon: 10}}
"
        );
    }
    text
}

/// A histogram of so many bins, as an item of the statistics.
pub fn histogram(name: &str, bins: u32) -> String {
    let edges: Vec<String> =
        (0..=bins).map(|i| (64.0 * f64::from(i) / f64::from(bins)).to_string()).collect();
    format!("      - {{name: {name}, histogram: {{column: pay, edges: [{}]}}}}\n", edges.join(", "))
}

/// Says why a test cannot run here; on CI that is a failure.
#[allow(clippy::print_stderr)]
pub fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
}

/// Sends a signal to a process by name, such as `INT`.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap();
    assert!(sent.success(), "kill -{name} {pid}");
}
