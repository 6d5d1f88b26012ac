//! What the documents tell a reader to type does what they say.

mod tutorial;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use veilgrid_party::exit::Exit;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = repository().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every document that a reader of the repository meets.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "docs", "examples/hospitals", "benches", "fuzz"] {
        let Ok(entries) = fs::read_dir(repository().join(folder)) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 10, "{found:?}");
    found
}

/// The text without fenced blocks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let keep = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    };
    text.lines().filter(keep).collect::<Vec<_>>().join("\n")
}

/// The names that headings have in links.
fn anchors(text: &str) -> BTreeSet<String> {
    let slug = |heading: &str| {
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    prose(text)
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| slug(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        // Not what code spans hold: a pattern may look like a link.
        let links: String = prose(&text).split('`').step_by(2).collect();
        for link in links.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            assert!(target.exists(), "{} links to {link}, which is not there", document.display());
            if !anchor.is_empty() {
                let known = anchors(&fs::read_to_string(&target).unwrap());
                assert!(known.contains(anchor), "{} links to {link}; {known:?}", document.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn exit_codes_are_documented_as_they_are() {
    let text = read("docs/exit-codes.md");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let documented: Vec<(&str, &str)> = rows.iter().map(|row| (row[0], row[1])).collect();
    let codes: Vec<String> = Exit::ALL.iter().map(|exit| exit.code().to_string()).collect();
    let real: Vec<(&str, &str)> =
        codes.iter().zip(Exit::ALL).map(|(code, exit)| (code.as_str(), exit.meaning())).collect();
    assert_eq!(documented, real);
}

#[test]
fn the_two_commands_of_the_readme_are_targets() {
    let readme = read("README.md");
    let commands: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert_eq!(commands, ["make demo", "make test"]);
    for (target, script) in [("demo", "scripts/demo.sh"), ("test", "scripts/test.sh")] {
        let output =
            Command::new("make").args(["--dry-run", target]).current_dir(repository()).output().unwrap();
        assert!(output.status.success(), "make {target}");
        assert!(String::from_utf8(output.stdout).unwrap().contains(script));
        assert!(repository().join(script).exists());
    }
    assert!(read(".ci/run").contains("make test"));
}

#[test]
fn the_commands_of_the_readme_run_as_written() {
    let readme = read("README.md");
    let commands: Vec<&str> = readme.lines().filter(|line| line.starts_with("veilgrid ")).collect();
    assert!(commands.len() >= 4, "{commands:?}");
    let folder = tempfile::TempDir::new().unwrap();
    for file in fs::read_dir(repository().join("examples/hospitals")).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    for command in commands {
        let output = shell(folder.path(), command);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The examples of the program and of each command parse, but for files that are not there, and stand whole in 80 columns.
#[test]
fn help_teaches_with_examples_that_parse() {
    let folder = tempfile::TempDir::new().unwrap();
    for party in ["north", "south"] {
        fs::write(folder.path().join(format!("{party}.pub")), "ab".repeat(32)).unwrap();
    }
    let help = |command: &str| {
        let output = shell(folder.path(), &format!("veilgrid {command} --help"));
        assert!(output.status.success(), "{command}");
        String::from_utf8(output.stdout).unwrap()
    };
    let all = help("");
    let here = ["run", "check", "devices", "sample", "verify", "budget", "schema", "party", "completions"];
    let cluster = ["submit", "watch", "result", "logs", "cancel", "approve", "doctor"];
    for command in here.into_iter().chain(cluster.into_iter().filter(|_| cfg!(feature = "cluster"))) {
        assert!(all.contains(&format!("\n  {command} ")), "{command} is missing in:\n{all}");
        let text = help(command);
        let examples = text.split_once("Examples:\n");
        let (_, examples) = examples.unwrap_or_else(|| panic!("{command} has no examples"));
        let joined = examples.replace("\\\n", "");
        let lines: Vec<&str> = joined.lines().filter(|line| line.contains("veilgrid ")).collect();
        assert!(lines.iter().any(|line| line.contains(&format!("veilgrid {command}"))), "{examples}");
        assert!(examples.lines().all(|line| line.chars().count() <= 80), "{examples}");
        for line in lines.iter().filter(|line| line.starts_with("  veilgrid ")) {
            // `--help` after all the rest: what stands before it has been read and found good.
            let typed = line.split(['|', '>', '#']).next().unwrap();
            let output = shell(folder.path(), &format!("{typed} --help"));
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// Runs a line in a folder, with the program under its name.
fn shell(folder: &Path, line: &str) -> std::process::Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_veilgrid")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}
