use super::*;
use std::{fs::File, io::Read, process::Stdio};
use veilgrid_kernels::{Device, Laplace, Seed, noise};

const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn sample(arguments: &[&str]) -> Ran {
    veilgrid(Path::new("."), &[&["sample"], arguments].concat())
}

#[test]
fn samples_are_those_of_the_kernels() {
    // More than one batch, and no whole number of groups.
    let count = 70_003;
    let mut expected = vec![0; count];
    let mut stream = Seed::from_bytes(std::array::from_fn(|byte| byte as u8)).stream(2);
    let law = Laplace::new(7, 2).unwrap();
    noise::laplace_fill(&Device::cpu().unwrap(), &law, &mut stream, &mut expected).unwrap();
    let ran = sample(&["--scale", "7/2", "--count", &count.to_string(), "--seed", SEED]);
    ran.ends(Exit::Success);
    let found: Vec<i64> =
        ran.0.stdout.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
    assert_eq!(ran.0.stdout.len(), count * 8);
    assert!(found == expected);
    // A shorter count is the start of it.
    let short = sample(&["--scale", "14/4", "--count", "9", "--seed", SEED]);
    assert_eq!(short.0.stdout, ran.0.stdout[..72]);
}

#[test]
fn samples_without_a_seed_differ() {
    let draw = || sample(&["--scale", "1000", "--count", "8"]).0.stdout;
    assert_eq!(draw().len(), 64);
    assert_ne!(draw(), draw());
    assert_eq!(sample(&["--scale", "1", "--count", "0"]).0.stdout, b"");
}

#[test]
fn a_reader_that_stops_is_no_error() {
    let mut child = command(Path::new("."), &["sample", "--scale", "10", "--count", "1000000000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 800];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let ran = Ran(child.wait_with_output().unwrap());
    ran.ends(Exit::Success);
    assert_eq!(ran.err(), "");
}

#[test]
fn a_terminal_is_refused() {
    // Either end of a pseudo-terminal is one.
    let terminal = File::options().read(true).write(true).open("/dev/ptmx").unwrap();
    let mut command = command(Path::new("."), &["sample", "--scale", "10", "--count", "1"]);
    let ran =
        Ran(command.stdout(terminal).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap());
    ran.fails(Exit::Usage, &["standard output is a terminal", "> noise.i64", "| od"]);
}

#[test]
fn scales_and_seeds_that_are_none() {
    for (scale, words) in [
        ("0", "outside 1/8 to 2^40"),
        ("1/9", "outside 1/8 to 2^40"),
        ("7/0", "outside 1/8 to 2^40"),
        ("1099511627777", "outside 1/8 to 2^40"),
        ("3.5", "such as 7/2"),
        ("-1", "unexpected argument"),
        ("7/2/1", "such as 7/2"),
        ("ten", "such as 7/2"),
    ] {
        sample(&["--scale", scale, "--count", "1"]).fails(Exit::Usage, &[words]);
    }
    for seed in [&SEED[1..], &format!("{SEED}00"), &SEED.replace('0', "g"), ""] {
        sample(&["--scale", "1", "--count", "1", "--seed", seed])
            .fails(Exit::Usage, &["64 hexadecimal digits"]);
    }
    sample(&["--count", "1"]).fails(Exit::Usage, &["--scale"]);
    sample(&["--scale", "1", "--count", "many"]).fails(Exit::Usage, &["--count"]);
}
