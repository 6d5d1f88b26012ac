//! The second reading of `docs/kernels.md`, in Python, reproduces every frozen answer, and notices what it should.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// Runs the reading; `None` where there is no Python to run it.
fn read(arguments: &[&str]) -> Option<(bool, String)> {
    // No compiled files beside the sources.
    let script = Path::new(TESTS).join("reading");
    let Ok(output) = Command::new("python3").arg("-B").arg(script).args(arguments).output() else {
        assert!(std::env::var_os("CI").is_none(), "python3 is missing: install it");
        eprintln!("skipped: python3 is not installed");
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

#[test]
fn every_vector_is_what_the_document_says_and_an_altered_one_is_noticed() {
    if let Some((passed, text)) = read(&["--altered"]) {
        assert!(passed, "{text}");
    }
}

/// A folder with a copy of the vectors, removed when dropped.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str) -> Copy {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for entry in fs::read_dir(Path::new(TESTS).join("vectors")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
        }
        Copy(folder)
    }

    /// The reading fails, and says what it saw.
    fn fails(&self, why: &str) {
        if let Some((passed, text)) = read(&[self.0.to_str().unwrap()]) {
            assert!(!passed && text.contains(why), "{text}");
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_is_unknown_or_missing_is_a_fault() {
    let copy = Copy::new("reading");
    let file = |name: &str| copy.0.join(name);
    fs::write(file("new.json"), "[{}]").unwrap();
    copy.fails("new.json is a file that this reading does not know");
    fs::remove_file(file("new.json")).unwrap();

    let ring = fs::read_to_string(file("ring.json")).unwrap();
    fs::write(file("ring.json"), ring.replace("\"sum_of_a\"", "\"div\": [], \"sum_of_a\"")).unwrap();
    copy.fails("fields that this reading does not know: div");
    fs::write(file("ring.json"), ring.replace("\"bits\": 32", "\"bits\": 16")).unwrap();
    copy.fails("there are no elements of 16 bits");
    fs::write(file("ring.json"), "[]").unwrap();
    copy.fails("has no vector");
    fs::remove_file(file("ring.json")).unwrap();
    copy.fails("has no ring.json");
    fs::write(file("ring.json"), ring).unwrap();

    let refused = fs::read_to_string(file("refused.json")).unwrap();
    fs::write(file("refused.json"), refused.replace("ring::mul", "ring::div")).unwrap();
    copy.fails("ring::div is no call that this reading knows");
    fs::write(file("refused.json"), refused.replace("\"other\": 2", "\"other\": 3")).unwrap();
    copy.fails("is not refused by the document");
}
