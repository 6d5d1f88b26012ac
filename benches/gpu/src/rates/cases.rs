//! What is measured: a kernel of each kind, with the batch of the library that runs it.

use std::time::{Duration, Instant};
use veilgrid_kernels::field::{elements, elements_mut};
use veilgrid_kernels::{
    Device, Field, Field64, Fixed, KernelError, M61, Seed, bits, field, fixed, mask, matmul, ring, share,
};

const KEY: [u8; 32] = [7; 32];
const STREAM: u64 = 3;
/// Words of a tile.
const TILE: usize = 512;
/// Words of a block of keystream, and blocks of a workgroup.
const BLOCK: usize = 8;
const BLOCKS: usize = 64;
/// Places in the parameters, in words.
const BITS: usize = 1;
const STREAM_AT: usize = 4;
const LOWER: usize = 6;
const KEY_AT: usize = 12;

/// One kernel, and the same through the library: in place on the first vector.
pub struct Case {
    /// Its name in the table of shaders.
    pub kernel: &'static str,
    /// What a unit is, and how many there are.
    pub unit: (&'static str, usize),
    /// Bytes that are read and written.
    pub moved: usize,
    /// Words of the first vector, and of the second: 0 where it is not bound.
    pub words: [usize; 2],
    /// The elements before.
    pub start: fn(u64) -> u64,
    /// Words of the parameters.
    pub params: Vec<u32>,
    /// Workgroups.
    pub groups: usize,
    /// The batch.
    pub batch: Batch,
}

/// A batch of the library, in place on the first vector, and the time that the library took.
pub type Batch = fn(&Device, &mut [u64], &[u64]) -> Result<Duration, KernelError>;

fn timed(batch: impl FnOnce() -> Result<(), KernelError>) -> Result<Duration, KernelError> {
    let began = Instant::now();
    batch()?;
    Ok(began.elapsed())
}

/// Numbers that look random.
fn mixed(i: u64) -> u64 {
    let x = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn format() -> Result<Fixed, KernelError> {
    Fixed::new(16, -(1 << 40), 1 << 40)
}

fn product<F: Field>(device: &Device, acc: &mut [u64], other: &[u64]) -> Result<Duration, KernelError> {
    let (acc, other) = (elements_mut::<F>(acc)?, elements::<F>(other)?);
    timed(|| field::mul(device, acc, other))
}

fn keystream(device: &Device, out: &mut [u64], _: &[u64]) -> Result<Duration, KernelError> {
    timed(|| share::expand(device, out, &mut Seed::from_bytes(KEY).stream(STREAM)))
}

fn masked(device: &Device, data: &mut [u64], _: &[u64]) -> Result<Duration, KernelError> {
    timed(|| mask::add(device, data, &mut Seed::from_bytes(KEY).stream(STREAM)))
}

fn encoded(device: &Device, data: &mut [u64], _: &[u64]) -> Result<Duration, KernelError> {
    let values: Vec<f64> = data.iter().map(|bits| f64::from_bits(*bits)).collect();
    let mut out = vec![1; values.len()];
    let format = format()?;
    let taken = timed(|| fixed::encode(device, &values, format, &mut out))?;
    for (word, value) in data.iter_mut().zip(out) {
        *word = value as u64;
    }
    Ok(taken)
}

/// Parameters of a stream's first `blocks` blocks.
fn of_stream(blocks: usize) -> Vec<u32> {
    let mut params = vec![0; KEY_AT + 8];
    params[0] = blocks as u32;
    params[STREAM_AT] = STREAM as u32;
    for (word, bytes) in params[KEY_AT..].iter_mut().zip(KEY.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    params
}

/// Parameters of an encoding.
fn of_format(format: Fixed) -> Vec<u32> {
    let mut params = vec![0; LOWER + 4];
    params[BITS] = format.fraction_bits();
    for (at, bound) in [(LOWER, format.min()), (LOWER + 2, format.max())] {
        params[at] = bound as u32;
        params[at + 1] = (bound >> 32) as u32;
    }
    params
}

/// The sums, then the factors: a square each.
fn products(device: &Device, acc: &mut [u64], factors: &[u64]) -> Result<Duration, KernelError> {
    let side = acc.len().isqrt();
    let (left, right) = factors.split_at(acc.len());
    let shape = matmul::Shape { rows: side, inner: side, columns: side };
    timed(|| matmul::multiply_add(device, shape, left, right, acc))
}

/// Whole tiles of sums, as `shaders/matmul.wgsl` has them: 32 rows of 16 vectors of two words.
fn of_matrices(side: usize) -> Case {
    let mut params = vec![0; LOWER + 2];
    params[BITS] = (side / 2) as u32;
    params[LOWER] = (side / 2) as u32;
    params[LOWER + 1] = (side * side / 2) as u32;
    Case {
        kernel: "matmul_u64",
        unit: ("product", side.pow(3)),
        moved: 32 * side * side,
        words: [side * side, 2 * side * side],
        start: mixed,
        params,
        groups: side / 32 * (side / 32),
        batch: products,
    }
}

/// All of them, for vectors of `words` and matrices of `side` rows and columns.
///
/// # Errors
/// Never in fact: the format is one.
pub fn cases(words: usize, side: usize) -> Result<Vec<Case>, KernelError> {
    let zip = |kernel, batch| Case {
        kernel,
        unit: ("u64", words),
        moved: 24 * words,
        words: [words, words],
        start: mixed,
        params: Vec::new(),
        groups: words / TILE,
        batch,
    };
    let alone = |kernel, moved, params, batch| Case {
        moved: moved * words,
        words: [words, 0],
        params,
        ..zip(kernel, batch)
    };
    let expanding = |kernel, moved, batch| Case {
        unit: ("block", words / BLOCK),
        groups: words / (BLOCK * BLOCKS),
        ..alone(kernel, moved, of_stream(words / BLOCK), batch)
    };
    Ok(vec![
        zip("ring_add_u64", |device, acc, other| timed(|| ring::add(device, acc, other))),
        zip("ring_mul_u64", |device, acc, other| timed(|| ring::mul(device, acc, other))),
        zip("bits_xor", |device, acc, other| timed(|| bits::xor(device, acc, other))),
        Case { start: |i| mixed(i) % M61::MODULUS, ..zip("field_mul_m61", product::<M61>) },
        Case { start: |i| mixed(i) % Field64::MODULUS, ..zip("field_mul_field64", product::<Field64>) },
        expanding("chacha_keystream", 8, keystream),
        expanding("mask_add_u64", 16, masked),
        Case {
            start: |i| (mixed(i) as i64 as f64 / (1u64 << 30) as f64).to_bits(),
            ..alone("fixed_encode", 16, of_format(format()?), encoded)
        },
        of_matrices(side),
    ])
}
