//! What a party must find again after a crash: how far its run came, and its share of the noised sum.
//!
//! A run has the folder `runs/<run>` in the party's state folder: `checkpoint.json` says the attempt and the stage, with a
//! checksum of itself; `sum.bin` is the share of the noised sum, little-endian, under the SHA-256 that `checkpoint.json`
//! holds. Each is replaced whole. A stage is on the disk before anything that depends on it leaves the party.

use crate::{durable, receipt::hex::hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
};
use veilgrid_api::plan::canonical_json;

/// The version of the files.
const VERSION: u32 = 1;
const RUNS: &str = "runs";
const STATE: &str = "checkpoint.json";
const SUM: &str = "sum.bin";
const LOCK: &str = "lock";
/// A state file is far smaller than this.
const MAX_STATE: u64 = 64 << 10;

/// How far an attempt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Shares may have been sent; nothing is durable.
    Sharing,
    /// The share of the noised sum is durable.
    Sealed,
    /// The charge is spent, and the sum may have been sent.
    Opening,
    /// Result and receipt are written.
    Done,
}

/// Where a run stands at this party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checkpoint {
    version: u32,
    /// The run.
    pub run: String,
    /// The hash of the plan, hexadecimal.
    pub plan: String,
    /// The party's name.
    pub party: String,
    /// Counts the draws of shares and noise, from 1.
    pub attempt: u64,
    /// How far the attempt came.
    pub stage: Stage,
    /// Elements of the sum.
    pub cells: u64,
    /// SHA-256 of the sum's bytes, from [`Stage::Sealed`] on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sum: Option<String>,
}

/// A checkpoint in its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    checkpoint: Checkpoint,
    /// SHA-256 of the checkpoint's canonical JSON.
    checksum: String,
}

/// Why a checkpoint was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The disk says no.
    #[error("{path} cannot be used: {error}; check free space and permissions")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// What was written is not what is there.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The run is another one.
    #[error(
        "{path} is of another {what} ({there}, now {here}); a run is resumed as it was, and anything else is a new run"
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// In the file.
        there: String,
        /// Now.
        here: String,
    },
    /// Another process works on the run.
    #[error("run {run} of this party is at work in another process; wait for it, or end it first")]
    InUse {
        /// The run.
        run: String,
    },
    /// The run's name would not be a folder's name.
    #[error("{run:?} names no run: a run is 32 hexadecimal digits, lower case")]
    Name {
        /// What was given.
        run: String,
    },
}

/// The folder of one run, held by this process alone.
pub struct RunFolder {
    folder: PathBuf,
    run: String,
    plan: String,
    party: String,
    cells: u64,
    // Locked for as long as it is open.
    _lock: File,
}

impl RunFolder {
    /// Whether the folder of `run` was ever taken in this state folder.
    pub fn is_in(state: &Path, run: &str) -> bool {
        state.join(RUNS).join(run).join(LOCK).is_file()
    }

    /// Takes the folder of `run` in the party's state folder, and makes it where it is absent.
    ///
    /// # Errors
    /// [`CheckpointError::Name`], [`CheckpointError::InUse`] or [`CheckpointError::Disk`].
    pub fn take(
        state: &Path,
        run: &str,
        plan: &str,
        party: &str,
        cells: u64,
    ) -> Result<Self, CheckpointError> {
        if run.len() != 32 || !run.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Err(CheckpointError::Name { run: run.into() });
        }
        let folder = state.join(RUNS).join(run);
        durable::folder(&folder).map_err(disk(&folder))?;
        let path = folder.join(LOCK);
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        let lock = options.open(&path).map_err(disk(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CheckpointError::InUse { run: run.into() }),
            Err(TryLockError::Error(error)) => return Err(disk(&path)(error)),
        }
        Ok(Self { folder, run: run.into(), plan: plan.into(), party: party.into(), cells, _lock: lock })
    }

    /// Where the run stands; `None` where nothing was written yet.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`], [`CheckpointError::Other`] or [`CheckpointError::Disk`].
    pub fn load(&self) -> Result<Option<Checkpoint>, CheckpointError> {
        let path = self.folder.join(STATE);
        let text = match read_at_most(&path, MAX_STATE) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk(&path)(error)),
        };
        let damaged = |reason: &str| CheckpointError::Damaged { path: path.clone(), reason: reason.into() };
        let envelope: Envelope =
            serde_json::from_slice(&text).map_err(|_| damaged("it is cut or altered"))?;
        let checkpoint = envelope.checkpoint;
        if envelope.checksum != hex(&Sha256::digest(canonical_json(&checkpoint))) {
            return Err(damaged("its checksum is wrong"));
        }
        let facts = [
            ("version", checkpoint.version.to_string(), VERSION.to_string()),
            ("run", checkpoint.run.clone(), self.run.clone()),
            ("plan", checkpoint.plan.clone(), self.plan.clone()),
            ("party", checkpoint.party.clone(), self.party.clone()),
            ("length", checkpoint.cells.to_string(), self.cells.to_string()),
        ];
        for (what, there, here) in facts {
            if there != here {
                return Err(CheckpointError::Other { path, what, there, here });
            }
        }
        Ok(Some(checkpoint))
    }

    /// The share of the noised sum that `checkpoint` speaks of.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] where it is absent, cut or altered; [`CheckpointError::Disk`].
    pub fn sum(&self, checkpoint: &Checkpoint) -> Result<Vec<u64>, CheckpointError> {
        let path = self.folder.join(SUM);
        let damaged = |reason: &str| CheckpointError::Damaged { path: path.clone(), reason: reason.into() };
        let expected = checkpoint.sum.as_deref().ok_or_else(|| damaged("no sum was sealed"))?;
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged("it is absent")),
            Err(error) => return Err(disk(&path)(error)),
        };
        let bytes = file.metadata().map_err(disk(&path))?.len();
        if Some(bytes) != self.cells.checked_mul(8) {
            return Err(damaged("its length is wrong"));
        }
        let mut sum = vec![0u64; self.cells as usize];
        file.read_exact(bytemuck::cast_slice_mut(&mut sum)).map_err(disk(&path))?;
        if hex(&Sha256::digest(bytemuck::cast_slice::<u64, u8>(&sum))) != expected {
            return Err(damaged("its checksum is wrong"));
        }
        Ok(sum)
    }

    /// Makes it durable that attempt `attempt` begins. What an earlier attempt sealed is given up.
    ///
    /// # Errors
    /// [`CheckpointError::Disk`].
    pub fn begin(&self, attempt: u64) -> Result<Checkpoint, CheckpointError> {
        let checkpoint = Checkpoint {
            version: VERSION,
            run: self.run.clone(),
            plan: self.plan.clone(),
            party: self.party.clone(),
            attempt,
            stage: Stage::Sharing,
            cells: self.cells,
            sum: None,
        };
        self.store(&checkpoint)?;
        Ok(checkpoint)
    }

    /// Makes the share of the noised sum of the attempt durable.
    ///
    /// # Errors
    /// [`CheckpointError::Disk`].
    ///
    /// # Panics
    /// Where the sum has not the plan's length.
    pub fn seal(&self, checkpoint: &mut Checkpoint, sum: &[u64]) -> Result<(), CheckpointError> {
        assert_eq!(sum.len() as u64, self.cells, "the sum has the plan's length");
        let bytes: &[u8] = bytemuck::cast_slice(sum);
        let path = self.folder.join(SUM);
        durable::write(&path, |file| file.write_all(bytes)).map_err(disk(&path))?;
        checkpoint.sum = Some(hex(&Sha256::digest(bytes)));
        self.advance(checkpoint, Stage::Sealed)
    }

    /// Makes a later stage durable. A stage never goes back.
    ///
    /// # Errors
    /// [`CheckpointError::Disk`].
    pub fn advance(&self, checkpoint: &mut Checkpoint, stage: Stage) -> Result<(), CheckpointError> {
        if checkpoint.stage >= stage {
            return Ok(());
        }
        let next = Checkpoint { stage, ..checkpoint.clone() };
        self.store(&next)?;
        *checkpoint = next;
        Ok(())
    }

    fn store(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let path = self.folder.join(STATE);
        let checksum = hex(&Sha256::digest(canonical_json(checkpoint)));
        let text = canonical_json(&Envelope { checkpoint: checkpoint.clone(), checksum });
        durable::write(&path, |file| file.write_all(text.as_bytes())).map_err(disk(&path))
    }
}

fn read_at_most(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    fs::File::open(path)?.take(most).read_to_end(&mut text)?;
    Ok(text)
}

fn disk(path: &Path) -> impl Fn(io::Error) -> CheckpointError + use<> {
    let path = path.to_owned();
    move |error| CheckpointError::Disk { path: path.clone(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "0123456789abcdef0123456789abcdef";

    fn take(state: &Path) -> Result<RunFolder, CheckpointError> {
        RunFolder::take(state, RUN, "aa", "north", 3)
    }

    #[test]
    fn stages_are_found_again() {
        let state = tempfile::tempdir().unwrap();
        let folder = take(state.path()).unwrap();
        assert_eq!(folder.load().unwrap(), None);
        let mut checkpoint = folder.begin(4).unwrap();
        assert!(matches!(folder.sum(&checkpoint), Err(CheckpointError::Damaged { .. })));
        folder.seal(&mut checkpoint, &[1, u64::MAX, 3]).unwrap();
        drop(folder);
        let folder = take(state.path()).unwrap();
        let mut found = folder.load().unwrap().unwrap();
        assert_eq!((found.attempt, found.stage), (4, Stage::Sealed));
        assert_eq!(folder.sum(&found).unwrap(), [1, u64::MAX, 3]);
        folder.advance(&mut found, Stage::Done).unwrap();
        folder.advance(&mut found, Stage::Opening).unwrap();
        assert_eq!(folder.load().unwrap().unwrap().stage, Stage::Done);
        assert_eq!(folder.sum(&found).unwrap(), [1, u64::MAX, 3]);
    }

    #[test]
    fn a_run_is_held_once_and_named_well() {
        let state = tempfile::tempdir().unwrap();
        let held = take(state.path()).unwrap();
        assert!(matches!(take(state.path()), Err(CheckpointError::InUse { .. })));
        drop(held);
        take(state.path()).unwrap();
        for run in ["", "..", "../../etc", &RUN[1..], "0123456789ABCDEF0123456789ABCDEF"] {
            let refused = RunFolder::take(state.path(), run, "aa", "north", 3).err();
            assert!(matches!(refused, Some(CheckpointError::Name { .. })), "{run}");
        }
    }

    #[test]
    fn any_changed_byte_and_any_cut_is_seen() {
        let state = tempfile::tempdir().unwrap();
        let folder = take(state.path()).unwrap();
        let mut checkpoint = folder.begin(1).unwrap();
        folder.seal(&mut checkpoint, &[7, 8, 9]).unwrap();
        for name in [STATE, SUM] {
            let path = folder.folder.join(name);
            let good = fs::read(&path).unwrap();
            let seen = || folder.load().and_then(|found| folder.sum(&found.unwrap())).is_err();
            for i in 0..good.len() {
                let mut bad = good.clone();
                bad[i] ^= 1;
                fs::write(&path, &bad).unwrap();
                assert!(seen(), "{name} byte {i}");
                fs::write(&path, &good[..i]).unwrap();
                assert!(seen(), "{name} cut to {i}");
            }
            fs::write(&path, &good).unwrap();
            assert!(!seen());
        }
        fs::remove_file(folder.folder.join(SUM)).unwrap();
        assert!(matches!(folder.sum(&checkpoint), Err(CheckpointError::Damaged { .. })));
    }

    #[test]
    fn another_plan_or_party_is_refused() {
        let state = tempfile::tempdir().unwrap();
        take(state.path()).unwrap().begin(1).unwrap();
        for (plan, party, cells, what) in
            [("bb", "north", 3, "plan"), ("aa", "south", 3, "party"), ("aa", "north", 4, "length")]
        {
            let folder = RunFolder::take(state.path(), RUN, plan, party, cells).unwrap();
            let error = folder.load().unwrap_err();
            assert!(matches!(error, CheckpointError::Other { what: field, .. } if field == what));
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_are_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let folder = take(state.path()).unwrap();
        let mut checkpoint = folder.begin(1).unwrap();
        folder.seal(&mut checkpoint, &[7, 8, 9]).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(&folder.folder.join(STATE)), mode(&folder.folder.join(SUM))], [0o600; 2]);
        assert_eq!(mode(&folder.folder), 0o700);
    }
}
