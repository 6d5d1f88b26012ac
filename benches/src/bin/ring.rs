//! Additions and products of u64 in the first-level cache, beside the instructions alone that they cannot do without: two reads
//! and a write a vector, or the multiplications. Prints rows of `docs/performance.md`.

#[path = "../issue.rs"]
mod issue;
#[path = "../moves.rs"]
mod moves;

use std::error::Error;
use std::hint::black_box;
use veilgrid_benches::{cpu_name, side_by_side};
use veilgrid_kernels::{Device, KernelError, Level, ring};

/// Words of 12 KiB: two such vectors stay in a first-level cache of 32 KiB, and a call is short beside them.
const WORDS: usize = 3 << 9;
const REPEATS: usize = 1 << 11;
const ROUNDS: usize = 51;

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", cpu_name());
    println!("| work | level | Veilgrid | limit | ratio |\n|---|---|---|---|---|");
    for level in [Level::Avx2, Level::Avx512] {
        let Ok(device) = Device::cpu_at(level).map(|device| device.with_threads(1)) else {
            println!("this machine has no {level}");
            continue;
        };
        let (source, mut target) = (vec![5u64; WORDS], vec![1u64; WORDS]);
        batch(
            level,
            "add",
            "reads alone",
            |acc, b| ring::add(&device, acc, b),
            || {
                moves::loads(level, [&source, &source], REPEATS);
            },
        );
        batch(
            level,
            "add",
            "writes alone",
            |acc, b| ring::add(&device, acc, b),
            || {
                moves::stores(level, &mut target, REPEATS);
            },
        );
        let vectors = WORDS * 64 / issue::width(level);
        batch(
            level,
            "mul",
            "multiplications alone",
            |acc, b| ring::mul(&device, acc, b),
            || {
                issue::multiplications(level, true, REPEATS * vectors);
            },
        );
    }
    Ok(())
}

fn batch(
    level: Level,
    work: &str,
    limit: &str,
    ours: impl Fn(&mut [u64], &[u64]) -> Result<(), KernelError>,
    peer: impl FnMut(),
) {
    let (mut acc, other) = (vec![1u64; WORDS], vec![3u64; WORDS]);
    let ours = || {
        for _ in 0..REPEATS {
            ours(black_box(&mut acc), black_box(&other)).expect("one length");
        }
    };
    let (ours, peer) = side_by_side(ROUNDS, ours, peer);
    let speed = |seconds: f64| (REPEATS * WORDS) as f64 / seconds / 1e9;
    let (fast, most) = (speed(ours), speed(peer));
    println!(
        "| {work} u64, 12 KiB ({limit}) | cpu {level} | {fast:.2} G/s | {most:.2} G/s | {:.2} |",
        fast / most
    );
}
