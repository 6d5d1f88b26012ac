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
    let (here, cluster) = page.split_once("\n## In a cluster\n").unwrap();
    let run = |line: &str, expected: i32| {
        let mut shell = Command::new("bash");
        shell.args(["-c", line]).current_dir(folder.path()).env("PATH", &path).stdin(Stdio::null());
        let ran = Ran(shell.output().unwrap());
        assert_eq!(ran.0.status.code(), Some(expected), "{line}\n{}\n{}", ran.out(), ran.err());
    };
    let typed = typed(here);
    assert!(typed.len() > 25, "{} commands", typed.len());
    for line in typed {
        run(line, line.split("# exit ").nth(1).map_or(0, |code| code.trim().parse().unwrap()));
    }
    if cfg!(feature = "cluster") {
        // cluster/test/commands.sh runs these; here they must be what the program understands.
        for line in self::typed(cluster) {
            let line = line.split("# exit ").next().unwrap().trim();
            let command = line.split(';').find(|part| part.trim().starts_with("veilgrid ")).unwrap();
            run(&format!("{} --help", command.split('>').next().unwrap()), 0);
        }
    }
}

/// The lines of a page's blocks that run the program.
fn typed(page: &str) -> Vec<&str> {
    let mut inside = false;
    let lines = page.lines().filter(|line| {
        inside ^= line.starts_with("```");
        inside && line.contains("veilgrid ")
    });
    lines.collect()
}
