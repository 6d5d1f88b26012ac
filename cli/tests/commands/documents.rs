//! What docs/cli.md tells a reader to type does what it says.

use super::*;
use std::{fs, process::Stdio};

/// Runs its commands in order, in a folder that holds the example as its own. Each must end well, or with the code of
/// a comment such as `# exit 2`.
#[test]
fn the_commands_of_the_command_page_run_as_written() {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(example().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_veilgrid")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let page = example().ancestors().nth(3).unwrap().join("docs/cli.md");
    let page = fs::read_to_string(page).unwrap();
    let mut inside = false;
    let mut count = 0;
    for line in page.lines() {
        inside ^= line.starts_with("```");
        if !inside || !line.contains("veilgrid ") {
            continue;
        }
        let expected = line.split("# exit ").nth(1).map_or(0, |code| code.trim().parse().unwrap());
        let mut shell = Command::new("bash");
        shell.args(["-c", line]).current_dir(folder.path()).env("PATH", &path).stdin(Stdio::null());
        let ran = Ran(shell.output().unwrap());
        assert_eq!(ran.0.status.code(), Some(expected), "{line}\n{}\n{}", ran.out(), ran.err());
        count += 1;
    }
    assert!(count > 25, "{count} commands");
}
