//! Whether the time that a batch of noise takes tells how large the noise is, after dudect (Reparaz, Balasch and
//! Verbauwhede 2017): batches of two classes, those of the least and those of the greatest sum of sizes, in random order,
//! the slowest tenth of all left out, and Welch's t of the two means. The keys of a class are many, so that nothing else
//! of a key matters.
//!
//! A leak shows as a |t| that grows with the root of the number of measurements; dudect calls a |t| above 10 a leak for
//! certain. A sampler that counts up to its sample, measured in the same way, is far above: the test sees what
//! it looks for.
#![allow(clippy::print_stderr, reason = "a figure to look at")]

mod levels;

use levels::devices;
use std::hint::black_box;
use std::time::Instant;
use veilgrid_kernels::noise::{self, Law};
use veilgrid_kernels::{Bernoulli, Binomial, Device, Gaussian, Laplace, Seed, Skellam, spec};

const THRESHOLD: f64 = 10.0;
/// Keys to choose from, and those of each class.
const KEYS: usize = 4096;
const CLASS: usize = 256;
const MEASUREMENTS: usize = 400_000;
/// Samples of one batch.
const BATCH: usize = 128;

fn key(number: usize) -> [u8; 32] {
    let mut key = [0x5a; 32];
    key[..8].copy_from_slice(&(number as u64).to_le_bytes());
    key
}

/// Welch's t of the time of batches with much and with little noise.
fn t(law: &impl Law, mut sample: impl FnMut([u8; 32], &mut [i64])) -> f64 {
    let mut out = vec![0; BATCH];
    let mut keys: Vec<(u64, usize)> = (0..KEYS)
        .map(|number| {
            spec::noise::fill(law, &key(number), 0, 0, &mut out);
            (out.iter().map(|sample| sample.unsigned_abs()).sum(), number)
        })
        .collect();
    keys.sort_unstable();
    let order: Vec<u64> = spec::mask::words(&[7; 32], 0, 0, MEASUREMENTS);
    let mut times: Vec<(bool, f64)> = order
        .iter()
        .map(|word| {
            let large = word & 1 == 1;
            let place = (word >> 1) as usize % CLASS;
            let (_, number) = keys[if large { KEYS - 1 - place } else { place }];
            let key = key(number);
            let start = Instant::now();
            sample(black_box(key), black_box(&mut out));
            (large, start.elapsed().as_nanos() as f64)
        })
        .collect();
    times.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
    times.truncate(MEASUREMENTS / 10 * 9);
    let [little, much] = [false, true].map(|class| {
        let own = times.iter().filter(|(large, _)| *large == class).map(|(_, time)| *time);
        let count = own.clone().count() as f64;
        let mean = own.clone().sum::<f64>() / count;
        let variance = own.map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (much.0 - little.0) / (much.1 + little.1).sqrt()
}

fn tells_nothing(device: &Device, what: &str, law: &impl Law) {
    let t = t(law, |key, out| {
        noise::fill(device, law, &mut Seed::from_bytes(key).stream(0), out).unwrap();
    });
    eprintln!("{}, {what}: t = {t:.1}", device.describe());
    assert!(t.abs() < THRESHOLD, "{}, {what}: t = {t}", device.describe());
}

#[test]
#[ignore = "timing: make test-long"]
fn the_time_of_a_batch_does_not_tell_how_large_the_noise_is() {
    for device in devices() {
        tells_nothing(&device, "Laplace", &Laplace::new(10, 1).unwrap());
        tells_nothing(&device, "Gaussian", &Gaussian::new(10, 1).unwrap());
        tells_nothing(&device, "Gaussian of three draws", &Gaussian::new(100, 1).unwrap());
        tells_nothing(&device, "Skellam", &Skellam::new(10, 1).unwrap());
        tells_nothing(&device, "binomial", &Binomial::new(400).unwrap());
        tells_nothing(&device, "Bernoulli", &Bernoulli::new(1, 3).unwrap());
    }
    // What a loop that ends at the sample would show.
    let (device, law) = (Device::cpu().unwrap(), Gaussian::new(10, 1).unwrap());
    let leak = t(&law, |key, out| {
        noise::fill(&device, &law, &mut Seed::from_bytes(key).stream(0), out).unwrap();
        for sample in out {
            for step in 0..sample.unsigned_abs() {
                black_box(step);
            }
        }
    });
    assert!(leak > 5.0 * THRESHOLD, "a leak is not seen: t = {leak}");
}
