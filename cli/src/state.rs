//! What `veilgrid run` keeps about its runs: one small file each, so that a run can be resumed.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};
use veilgrid_party::{exit::Exit, receipt::hex::hex};

/// A run of this state folder.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Run {
    /// Names the charge: 32 hexadecimal digits.
    pub(crate) run: String,
    /// `namespace/name`.
    pub(crate) job: String,
    /// Seconds since 1970.
    started: u64,
    pub(crate) status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// It may be resumed.
    Open,
    /// Its result is written.
    Finished,
    /// It ended with nothing opened and nothing charged.
    Released,
}

impl Run {
    /// A new run of a job.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn new(job: String) -> Result<Self, Failure> {
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|error| {
            Failure::new(Exit::Internal, format!("the operating system gives no randomness: {error}"))
        })?;
        let run = hex(&name);
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_secs());
        Ok(Self { run, job, started, status: Status::Open })
    }

    /// The newest run of the job that can be resumed.
    ///
    /// # Errors
    /// There is none; a file of the folder cannot be read.
    pub(crate) fn last_open(state: &Path, job: &str) -> Result<Self, Failure> {
        let folder = folder(state);
        let mut runs = Vec::new();
        match fs::read_dir(&folder) {
            Ok(files) => {
                for file in files {
                    let path = file.map_err(|e| Failure::file(&folder, &e, "check its permissions"))?.path();
                    if path.extension().is_some_and(|ending| ending == "json") {
                        runs.push(read(&path)?);
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::file(&folder, &error, "check its permissions")),
        }
        let open = runs.into_iter().filter(|run| run.job == job && run.status == Status::Open);
        open.max_by_key(|run| run.started).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!(
                    "{} holds no unfinished run of {job}; run again without --resume to start a new one, which is charged",
                    state.display()
                ),
            )
        })
    }

    /// Keeps the run as it stands.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn save(&self, state: &Path) -> Result<(), Failure> {
        let folder = folder(state);
        let path = folder.join(format!("{}.json", self.run));
        let text = serde_json::to_vec(self).expect("a run is JSON");
        let written = fs::create_dir_all(&folder).and_then(|()| {
            let fresh = folder.join(format!("{}.new", self.run));
            fs::write(&fresh, text)?;
            fs::rename(fresh, &path)
        });
        written.map_err(|error| Failure::file(&path, &error, "check free space and permissions"))
    }
}

fn folder(state: &Path) -> PathBuf {
    state.join("runs")
}

fn read(path: &Path) -> Result<Run, Failure> {
    let text = fs::read(path).map_err(|error| Failure::file(path, &error, "check its permissions"))?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::new(Exit::State, format!("{} is no account of a run: {error}; move it away", path.display()))
    })
}
