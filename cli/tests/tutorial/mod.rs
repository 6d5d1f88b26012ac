//! The tutorial, typed from its first line to its last: exit codes are as its blocks say, files are saved as it says, and what
//! it prints is printed, but for figures and white space.
//!
//! A block of ```` ```console ```` is commands (`$ `) and lines of what they print; `exit=N` after `console` is the exit code of its
//! last command. A block after a line that ends in "Save this as `NAME`:" is a file.

use std::{
    fmt::Write,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

/// What a reader does.
#[derive(Debug)]
enum Step {
    Save { name: String, text: String },
    Type { command: String, exit: i32, printed: Vec<String> },
}

fn steps(document: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = document.lines();
    let mut name = None;
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            if !line.is_empty() {
                let saved = line.strip_suffix("`:").and_then(|start| start.rsplit_once("Save this as `"));
                name = saved.map(|(_, name)| name.to_owned());
            }
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some(name) = name.take() {
            steps.push(Step::Save { name, text: block.join("\n") + "\n" });
        } else if let Some(exit) = kind.strip_prefix("console") {
            let exit = exit.trim().strip_prefix("exit=").map_or(0, |code| code.parse().unwrap());
            let first = steps.len();
            for line in block {
                match (line.strip_prefix("$ "), steps[first..].last_mut()) {
                    (Some(command), _) => {
                        steps.push(Step::Type { command: command.to_owned(), exit: 0, printed: Vec::new() });
                    }
                    (None, Some(Step::Type { printed, .. })) => printed.push(line.to_owned()),
                    (None, _) => panic!("a block starts with no command: {line}"),
                }
            }
            if let Some(Step::Type { exit: expected, .. }) = steps.last_mut() {
                *expected = exit;
            }
        }
    }
    steps
}

/// The line without what differs from run to run: figures, and the white space that aligns them.
fn shape(line: &str) -> String {
    let figure = |c: char| c.is_ascii_digit() || ",.-".contains(c);
    let words = line.split_whitespace().map(|word| {
        let start = word.trim_start_matches(figure);
        let digits = word[..word.len() - start.len()].bytes().any(|b| b.is_ascii_digit());
        if digits { format!("#{start}") } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A copy of what the repository has for a reader, with the program built.
fn repository(folder: &Path) {
    let copy = Command::new("cp")
        .args(["-r", "Makefile", "scripts", "examples"])
        .arg(folder)
        .current_dir(super::repository())
        .status();
    assert!(copy.unwrap().success());
    fs::create_dir_all(folder.join("target/release")).unwrap();
    symlink(env!("CARGO_BIN_EXE_veilgrid"), folder.join("target/release/veilgrid")).unwrap();
    // The program is built already; a cargo of its own says so, and fails where it is asked for anything else.
    fs::create_dir(folder.join("bin")).unwrap();
    let cargo = folder.join("bin/cargo");
    fs::write(
        &cargo,
        "#!/bin/sh\n[ \"$*\" = 'build --release --locked -p veilgrid --no-default-features' ]\n",
    )
    .unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_tutorial_works_as_written() {
    let steps = steps(&super::read("docs/tutorial.md"));
    assert!(steps.len() > 15, "{steps:?}");
    let folder = tempfile::TempDir::new().unwrap();
    repository(folder.path());
    let notes = folder.path().join("notes");
    fs::create_dir(&notes).unwrap();
    // One shell for all: a reader's `cd` and `export` last too.
    let mut script = String::new();
    for (index, step) in steps.iter().enumerate() {
        let note = notes.join(index.to_string());
        let note = note.display();
        match step {
            Step::Save { name, text } => {
                fs::write(notes.join(format!("{index}.file")), text).unwrap();
                writeln!(script, "cp {note}.file {name}").unwrap();
            }
            Step::Type { command, .. } => {
                writeln!(script, "{{ {command}\n}} >{note}.said 2>&1; echo $? >{note}.exit").unwrap();
            }
        }
    }
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
    let shell = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("CARGO_TARGET_DIR")
        .status();
    assert!(shell.unwrap().success());
    for (index, step) in steps.iter().enumerate() {
        let Step::Type { command, exit, printed } = step else { continue };
        let said = fs::read_to_string(notes.join(format!("{index}.said"))).unwrap();
        let code = fs::read_to_string(notes.join(format!("{index}.exit"))).unwrap();
        assert_eq!(code.trim(), exit.to_string(), "$ {command}\n{said}");
        let shapes: Vec<String> = said.lines().map(shape).collect();
        for line in printed {
            // An ellipsis stands for anything.
            let parts: Vec<String> = line.split('…').map(shape).collect();
            assert!(
                shapes.iter().any(|said| parts.iter().all(|part| said.contains(part))),
                "the tutorial prints\n{line}\nafter $ {command}, which said\n{said}"
            );
        }
    }
}
