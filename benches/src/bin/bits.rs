//! Bit vectors and bit planes on one core beside what the memory can do. A line each for `report.py`.

use std::error::Error;
use std::hint::black_box;
use veilgrid_benches::{BYTES, Beside, Row, VECTORS, Wanted, levels};
use veilgrid_kernels::{Device, Level, bits};

/// Words of 64 MiB: far beyond every cache.
const WORDS: usize = 8 << 20;
/// Words of 8 KiB: three such vectors stay in a first-level cache.
const FEW: usize = 1 << 10;
const ROUNDS: usize = 21;

fn main() -> Result<(), Box<dyn Error>> {
    for (level, device) in &levels(&VECTORS)? {
        of_two(*level, "XOR", |acc, other| bits::xor(device, acc, other).expect("one length"));
        of_two(*level, "AND", |acc, other| bits::and(device, acc, other).expect("one length"));
        for words in [WORDS, FEW] {
            transposes(*level, device, words);
        }
        let words = vec![0x5555_5555_5555_5555u64; WORDS];
        let times = Beside::processor(
            ROUNDS,
            || {
                black_box(bits::ones(device, black_box(&words)).expect("a count"));
            },
            || {
                black_box(black_box(&words).iter().fold(0u64, |sum, word| sum ^ word));
            },
        );
        row("bits set", "64 MiB", "a loop that reads", None).print(*level, (8 * WORDS, 8 * WORDS), &times);
    }
    Ok(())
}

fn row<'a>(work: &'a str, size: &'a str, peer: &'a str, wanted: Option<f64>) -> Row<'a> {
    let wanted = wanted.map(Wanted::both).unwrap_or_default();
    Row { table: "bits", work, size, peer, unit: BYTES, wanted }
}

fn of_two(level: Level, work: &str, ours: impl Fn(&mut [u64], &[u64])) {
    let other = vec![0x5555_5555_5555_5555u64; WORDS];
    let (mut acc, mut peer) = (vec![1u64; WORDS], vec![1u64; WORDS]);
    let times = Beside::processor(
        ROUNDS,
        || ours(black_box(&mut acc), &other),
        || read_two_write_one(black_box(&mut peer), &other),
    );
    row(work, "64 MiB", "a loop that adds", Some(0.9)).print(level, (24 * WORDS, 24 * WORDS), &times);
}

#[inline(never)]
fn read_two_write_one(acc: &mut [u64], other: &[u64]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a = a.wrapping_add(*b);
    }
}

/// To planes and back, beside a copy of as many bytes.
fn transposes(level: Level, device: &Device, words: usize) {
    let repeats = WORDS / words;
    let (mut values, mut planes) = (vec![3u64; words], vec![1u64; words]);
    let (source, mut copy) = (vec![5u64; words], vec![1u64; words]);
    let mut copies = || {
        for _ in 0..repeats {
            black_box(&mut copy).copy_from_slice(black_box(&source));
        }
    };
    let size = if words == WORDS { "64 MiB" } else { "8 KiB" };
    let wanted = (words == WORDS).then_some(0.6);
    let times = Beside::processor(
        ROUNDS,
        || {
            for _ in 0..repeats {
                bits::to_planes(device, black_box(&values), black_box(&mut planes)).expect("64 planes");
            }
        },
        &mut copies,
    );
    row("integers to bit planes", size, "a copy", wanted).print(level, (16 * WORDS, 16 * WORDS), &times);
    let times = Beside::processor(
        ROUNDS,
        || {
            for _ in 0..repeats {
                bits::from_planes(device, black_box(&planes), black_box(&mut values)).expect("64 planes");
            }
        },
        &mut copies,
    );
    row("bit planes to integers", size, "a copy", wanted).print(level, (16 * WORDS, 16 * WORDS), &times);
}
