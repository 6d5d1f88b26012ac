//! Bit vectors and bit planes on one core beside what the memory can do. Prints rows of `docs/performance.md`.

use std::error::Error;
use std::hint::black_box;
use veilgrid_benches::{cpu_name, side_by_side};
use veilgrid_kernels::{Device, bits};

/// Words of 64 MiB: far beyond every cache.
const WORDS: usize = 8 << 20;
/// Words of 8 KiB: three such vectors stay in a first-level cache.
const FEW: usize = 1 << 10;
const ROUNDS: usize = 21;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::cpu()?.with_threads(1);
    println!("{}, {}", cpu_name(), device.describe());
    println!("| work | level | Veilgrid | peer | ratio |\n|---|---|---|---|---|");
    let other = vec![0x5555_5555_5555_5555u64; WORDS];
    let (mut acc, mut peer) = (vec![1u64; WORDS], vec![1u64; WORDS]);
    let (ours, limit) = side_by_side(
        ROUNDS,
        || bits::xor(&device, black_box(&mut acc), &other).expect("one length"),
        || read_two_write_one(black_box(&mut peer), &other),
    );
    row(&device, "XOR, 64 MiB (a loop that adds)", 24 * WORDS, ours, limit);
    let (ours, limit) = side_by_side(
        ROUNDS,
        || bits::and(&device, black_box(&mut acc), &other).expect("one length"),
        || read_two_write_one(black_box(&mut peer), &other),
    );
    row(&device, "AND, 64 MiB (a loop that adds)", 24 * WORDS, ours, limit);
    for words in [WORDS, FEW] {
        transposes(&device, words);
    }
    let (ours, limit) = side_by_side(
        ROUNDS,
        || {
            black_box(bits::ones(&device, black_box(&other)).expect("a count"));
        },
        || {
            black_box(black_box(&other).iter().fold(0u64, |sum, word| sum ^ word));
        },
    );
    row(&device, "bits set, 64 MiB (a loop that reads)", 8 * WORDS, ours, limit);
    Ok(())
}

/// To planes and back, beside a copy of as many bytes.
fn transposes(device: &Device, words: usize) {
    let repeats = WORDS / words;
    let (mut values, mut planes) = (vec![3u64; words], vec![1u64; words]);
    let (source, mut copy) = (vec![5u64; words], vec![1u64; words]);
    let kibibytes = words >> 7;
    let (ours, limit) = side_by_side(
        ROUNDS,
        || {
            for _ in 0..repeats {
                bits::to_planes(device, black_box(&values), black_box(&mut planes)).expect("64 planes");
            }
        },
        || {
            for _ in 0..repeats {
                black_box(&mut copy).copy_from_slice(black_box(&source));
            }
        },
    );
    row(device, &format!("integers to planes, {kibibytes} KiB (a copy)"), 16 * WORDS, ours, limit);
    let (ours, limit) = side_by_side(
        ROUNDS,
        || {
            for _ in 0..repeats {
                bits::from_planes(device, black_box(&planes), black_box(&mut values)).expect("64 planes");
            }
        },
        || {
            for _ in 0..repeats {
                black_box(&mut copy).copy_from_slice(black_box(&source));
            }
        },
    );
    row(device, &format!("planes to integers, {kibibytes} KiB (a copy)"), 16 * WORDS, ours, limit);
}

#[inline(never)]
fn read_two_write_one(acc: &mut [u64], other: &[u64]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a = a.wrapping_add(*b);
    }
}

/// `bytes` read and written.
fn row(device: &Device, work: &str, bytes: usize, ours: f64, peer: f64) {
    let level = device.describe();
    let speed = |seconds: f64| bytes as f64 / seconds / 1e9;
    let (ours, peer) = (speed(ours), speed(peer));
    println!("| {work} | {level} | {ours:.2} GB/s | {peer:.2} GB/s | {:.2} |", ours / peer);
}
