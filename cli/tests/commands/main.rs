//! Every command but `run` and `party`, as a user types it: what it prints, and how it says no.

mod check;
mod documents;
mod ledger;
mod sample;
mod tools;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};
use veilgrid_party::exit::Exit;

/// The manifest of the example.
fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/hospitals/job.yaml")
}

/// The program in a folder, with these arguments.
fn command<A: AsRef<std::ffi::OsStr>>(folder: &Path, arguments: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilgrid"));
    command.current_dir(folder).args(arguments).env_remove("VEILGRID_LEVEL").env("NO_COLOR", "1");
    command
}

/// Runs the program to its end.
fn veilgrid<A: AsRef<std::ffi::OsStr>>(folder: &Path, arguments: &[A]) -> Ran {
    Ran(command(folder, arguments).output().unwrap())
}

/// A program that has ended.
struct Ran(Output);

impl Ran {
    fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// It ended well, and its output has these words.
    #[track_caller]
    fn succeeds(&self, words: &[&str]) -> &Self {
        self.ends(Exit::Success);
        has(&self.out(), words)
            .unwrap_or_else(|word| panic!("{word:?} is not in the output:\n{}", self.out()));
        self
    }

    /// It ended with this code, and its message has these words.
    #[track_caller]
    fn fails(&self, exit: Exit, words: &[&str]) -> &Self {
        self.ends(exit);
        has(&self.err(), words)
            .unwrap_or_else(|word| panic!("{word:?} is not in the message:\n{}", self.err()));
        self
    }

    #[track_caller]
    fn ends(&self, exit: Exit) {
        let found = self.0.status.code();
        assert_eq!(found, Some(exit.code().into()), "{}\n{}", self.out(), self.err());
    }

    /// Its output, which is JSON.
    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.0.stdout).unwrap_or_else(|error| panic!("{error}\n{}", self.out()))
    }
}

/// Whether a text has all words, or the first that it has not.
fn has<'a>(text: &str, words: &[&'a str]) -> Result<(), &'a str> {
    words.iter().find(|word| !text.contains(**word)).map_or(Ok(()), |word| Err(word))
}

/// The text with its first `from` made `to`.
#[track_caller]
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in the text");
    text.replacen(from, to, 1)
}
