//! The sampler executes the same number of instructions whatever its key: counted by callgrind, not timed.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::process::Command;
use veilgrid_kernels::noise::{self, Law};
use veilgrid_kernels::{
    Bernoulli, Binomial, Device, Gaussian, LEVEL_VARIABLE, Laplace, Level, Seed, Skellam,
};

const SEED: &str = "VEILGRID_TEST_SEED";

/// An odd length, so that the last group is cut short.
const SAMPLES: usize = 1003;

/// What callgrind counts: everything below this function.
#[inline(never)]
fn sampler_under_test(device: &Device, law: &impl Law, seed: Seed, samples: &mut [i64], values: &mut [u64]) {
    let mut stream = seed.stream(2);
    noise::fill(device, law, &mut stream, samples).unwrap();
    noise::add(device, law, &mut stream, values).unwrap();
}

/// Run by the other test under callgrind; nothing by itself.
#[test]
fn worker() {
    let Ok(seed) = std::env::var(SEED) else { return };
    let device = Device::cpu().unwrap().with_threads(1);
    let seed = seed.parse::<u8>().unwrap();
    for (numerator, denominator) in [(1, 2), (7, 2), (1000, 1)] {
        sample(&device, &Laplace::new(numerator, denominator).unwrap(), seed);
    }
    for (numerator, denominator) in [(1, 2), (10, 1), (100, 1)] {
        sample(&device, &Gaussian::new(numerator, denominator).unwrap(), seed);
    }
    sample(&device, &Skellam::new(3, 1).unwrap(), seed);
    sample(&device, &Bernoulli::new(1, 3).unwrap(), seed);
    sample(&device, &Binomial::new(150).unwrap(), seed);
}

fn sample(device: &Device, law: &impl Law, seed: u8) {
    let key = std::array::from_fn(|i| seed.wrapping_mul(i as u8 + 1));
    let (mut samples, mut values) = (vec![0; SAMPLES], vec![0; SAMPLES]);
    sampler_under_test(device, law, Seed::from_bytes(key), &mut samples, &mut values);
    assert!(samples.iter().any(|sample| *sample != 0));
}

fn instructions(level: Level, seed: u8) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=*sampler_under_test*")
        .arg(std::env::current_exe().unwrap())
        .args(["worker", "--exact", "--test-threads=1"])
        .env(LEVEL_VARIABLE, level.to_string())
        .env(SEED, seed.to_string())
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    let counted = messages.lines().find_map(|line| line.split("Collected :").nth(1));
    counted.and_then(|count| count.trim().parse().ok()).unwrap_or_else(|| panic!("no count in:\n{messages}"))
}

#[test]
fn the_work_does_not_depend_on_the_key() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "valgrind is missing: install it");
        eprintln!("skipped: valgrind is not installed");
        return;
    }
    // Callgrind has no AVX-512.
    for level in [Level::Scalar, Level::Avx2] {
        if level > Level::best() {
            eprintln!("skipped: this CPU has no {level}");
            continue;
        }
        let counts = [0, 1, 2, 77, 255].map(|seed| instructions(level, seed));
        // Far above what the calls alone would take: the sampler itself was counted.
        assert!(counts[0] > 100 * SAMPLES as u64, "{level}: only {} instructions were counted", counts[0]);
        assert!(counts.iter().all(|count| *count == counts[0]), "{level}: {counts:?}");
    }
}
