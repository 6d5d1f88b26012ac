use super::*;
use std::{io::Write, process::Stdio};
use veilgrid_api::crd::CRDS;

#[test]
fn a_command_that_is_none_is_told() {
    veilgrid(Path::new("."), &["chekc"]).fails(Exit::Usage, &["'check'"]);
    veilgrid::<&str>(Path::new("."), &[]).fails(Exit::Usage, &["Start here:", "veilgrid check job.yaml"]);
}

#[test]
fn devices_are_listed_with_their_self_tests() {
    veilgrid(Path::new("."), &["devices"]).succeeds(&[
        "cpu scalar",
        "passed",
        "vector bits",
        "`device: auto` uses",
    ]);
    let listing = veilgrid(Path::new("."), &["devices", "--json"]).json();
    let devices = listing["devices"].as_array().unwrap();
    assert_eq!((&devices[0]["name"], &devices[0]["passed"]), (&"cpu scalar".into(), &true.into()));
    for device in devices {
        for rate in ["keystreamGbS", "addGbS", "laplaceMS"] {
            assert!(device[rate].as_f64().unwrap() > 0.0, "{device}");
        }
    }
    assert!(listing["auto"].is_string());
}

#[test]
fn a_level_that_is_none_is_told() {
    let ran = command(Path::new("."), &["sample", "--scale", "1", "--count", "1"])
        .env("VEILGRID_LEVEL", "sse9")
        .output()
        .unwrap();
    Ran(ran).fails(Exit::Device, &["sse9", "scalar, avx2, avx512, ifma or amx"]);
}

#[test]
fn the_schema_is_that_of_the_crds() {
    let all = veilgrid(Path::new("."), &["schema"]);
    let texts: Vec<&str> = CRDS.iter().map(|(_, text)| *text).collect();
    assert_eq!(all.succeeds(&[]).out(), texts.join("---\n"));
    for (kind, text) in CRDS {
        assert_eq!(veilgrid(Path::new("."), &["schema", kind]).succeeds(&[]).out(), *text);
        assert_eq!(veilgrid(Path::new("."), &["schema", &kind.to_lowercase()]).out(), *text);
    }
    veilgrid(Path::new("."), &["schema", "PrivatJob"]).fails(Exit::Usage, &["PrivateJob", "PrivacyBudget"]);
}

#[test]
fn completions_are_sound_scripts() {
    let script = veilgrid(Path::new("."), &["completions", "bash"]);
    script.succeeds(&["veilgrid", "--resume"]);
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(&script.0.stdout).unwrap();
    assert!(bash.wait().unwrap().success());
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        veilgrid(Path::new("."), &["completions", shell]).succeeds(&["veilgrid", "resume"]);
    }
    veilgrid(Path::new("."), &["completions", "csh"]).fails(Exit::Usage, &["bash"]);
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    for arguments in [vec!["schema"], vec!["completions", "bash"], vec!["check", example().to_str().unwrap()]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(Path::new("."), &arguments);
        let ran =
            Ran(command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap());
        ran.ends(Exit::Success);
        assert_eq!(ran.err(), "");
    }
}
