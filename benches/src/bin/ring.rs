//! Additions and products of u64 in the first-level cache, beside the instructions alone that they cannot do without: two reads
//! or a write a vector, or all of a product in registers. A line each for `report.py`.

#[path = "../moves.rs"]
mod moves;

use pulp::x86::{V3, V4};
use pulp::{NullaryFnOnce, Simd};
use std::error::Error;
use std::hint::black_box;
use veilgrid_benches::{Beside, ELEMENTS, Row, VECTORS, Wanted, levels, median, seconds};
use veilgrid_kernels::{Device, KernelError, Level, ring};

/// Words of 12 KiB: two such vectors stay in a first-level cache of 32 KiB, and a call is short beside them.
const WORDS: usize = 3 << 9;
/// Words of a line of the cache: both vectors begin with one.
const LINE: usize = 8;
const REPEATS: usize = 1 << 11;
const ROUNDS: usize = 201;

fn main() -> Result<(), Box<dyn Error>> {
    for (level, device) in &levels(&VECTORS)? {
        let (mut source, mut target) = (room(5), room(1));
        let (source, target) = (&*words(&mut source), words(&mut target));
        let at = (*level, device);
        batch(at, ring::add, ("add u64", "its reads alone", Wanted::both(0.9)), || {
            moves::loads(*level, [source, source], REPEATS);
        });
        batch(at, ring::add, ("add u64", "its writes alone", Wanted::default()), || {
            moves::stores(*level, target, REPEATS);
        });
        // What bounds a product is the slower of the two: on some CPUs the reads are.
        let reads = || moves::loads(*level, [source, source], REPEATS);
        let registers = || products(*level, REPEATS * WORDS);
        let time = |work: &dyn Fn()| median((0..ROUNDS).map(|_| seconds(work)).collect());
        let (of_reads, of_registers) = match time(&reads) > time(&registers) {
            true => (Wanted::both(0.9), Wanted::default()),
            false => (Wanted::default(), Wanted::both(0.9)),
        };
        batch(at, ring::mul, ("mul u64", "its reads alone", of_reads), reads);
        batch(at, ring::mul, ("mul u64", "its products in registers", of_registers), registers);
    }
    Ok(())
}

fn room(word: u64) -> Vec<u64> {
    vec![word; WORDS + LINE]
}

/// The words that begin with a line.
fn words(room: &mut [u64]) -> &mut [u64] {
    let line = room.as_ptr().align_offset(64);
    &mut room[line..][..WORDS]
}

type Batch = fn(&Device, &mut [u64], &[u64]) -> Result<(), KernelError>;

fn batch(
    (level, device): (Level, &Device),
    ours: Batch,
    (work, peer, wanted): (&str, &str, Wanted),
    limit: impl FnMut(),
) {
    let (mut acc, mut other) = (room(1), room(3));
    let (acc, other) = (words(&mut acc), &*words(&mut other));
    let ours = || {
        for _ in 0..REPEATS {
            ours(device, black_box(acc), black_box(other)).expect("one length");
        }
    };
    let times = Beside::processor(ROUNDS, ours, limit);
    let row = Row { table: "ring", work, size: "12 KiB", peer, unit: ELEMENTS, wanted };
    row.print(level, (REPEATS * WORDS, REPEATS * WORDS), &times);
}

/// So many products in registers: all instructions that they take, and nothing is read or written.
fn products(level: Level, words: usize) {
    match level {
        Level::Avx2 => {
            let simd = V3::try_new().expect("a device at the level");
            simd.vectorize(Products { simd, words });
        }
        _ => {
            let simd = V4::try_new().expect("a device at the level");
            simd.vectorize(Products { simd, words });
        }
    }
}

/// Products of twelve vectors, each with its neighbour: one need not wait for the one before it.
struct Products<S> {
    simd: S,
    words: usize,
}

impl<S: Simd> NullaryFnOnce for Products<S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let mut x = black_box([self.simd.splat_u64s(3); 12]);
        for _ in 0..self.words / (12 * S::U64_LANES) {
            for i in 0..12 {
                x[i] = self.simd.mul_u64s(x[i], x[(i + 1) % 12]);
            }
        }
        black_box(x);
    }
}
