//! Kernels that take their vectors element by element.

use super::{BITS, Case, Done, Item, LANES, LOWER, SUM, TILE, VECTOR, change, params, timed, vector};
use bytemuck::Pod;
use veilgrid_kernels::{Device, Field, Fixed, KernelError, Word, bits, field, fixed, ring};

/// Turns of the loop of a product of vectors.
const DOT_TURNS: u64 = 4;
/// Words of the points that an invocation takes for a polynomial, and coefficients.
const POLYNOMIAL: usize = 4;
const COEFFICIENTS: usize = 64;
/// Bits of a shift, of a fraction and of a truncation.
const SHIFT: u32 = 13;
const FRACTION: u32 = 16;

/// `acc[i] = acc[i] op other[i]`.
pub(super) fn zip<T: Item>(
    kernel: &str,
    words: usize,
    name: &str,
    batch: fn(&Device, &mut [T], &[T]) -> Done,
) -> Case {
    let batch = change(move |device, acc: &mut [T], given: &[&[T]]| batch(device, acc, given[1]));
    let vectors = vec![vector::<T>(words, 0), vector::<T>(words, 1)];
    Case::new(kernel, name, words, batch).with(24 * words, Vec::new(), vectors, words / TILE)
}

/// `words[i] = op words[i]`.
pub(super) fn alone<T: Item>(
    kernel: &str,
    words: usize,
    name: &str,
    batch: fn(&Device, &mut [T]) -> Done,
) -> Case {
    let batch = change(move |device, acc: &mut [T], _: &[&[T]]| batch(device, acc));
    tiled::<T>(Case::new(kernel, name, words, batch), words, Vec::new())
}

/// One vector, in place.
fn tiled<T: Item>(case: Case, words: usize, params: Vec<u32>) -> Case {
    case.with(16 * words, params, vec![vector::<T>(words, 0)], words / TILE)
}

/// Kernels that leave a total a workgroup.
fn total(
    kernel: &str,
    words: usize,
    name: &str,
    host: fn(&[u64]) -> Vec<u64>,
    batch: fn(&Device, &[u64]) -> Result<u64, KernelError>,
) -> Case {
    let batch = Box::new(move |device: &Device, vectors: &[Vec<u64>]| {
        let mut sum = 0;
        let taken = timed(|| batch(device, &vectors[1]).map(|total| sum = total))?;
        Ok((vec![sum], taken))
    });
    let groups = words / SUM;
    let vectors = vec![vec![0; VECTOR * groups], vector::<u64>(words, 0)];
    let case = Case::new(kernel, name, words, batch).with(8 * words, Vec::new(), vectors, groups);
    Case { host, ..case }
}

/// The sum of elements, as a word.
pub(super) fn folded<T: Word + Pod + Into<u64>>(totals: &[u64]) -> Vec<u64> {
    let elements: &[T] = bytemuck::cast_slice(totals);
    vec![elements.iter().fold(T::ZERO, |sum, element| sum.wrapping_add(*element)).into()]
}

pub(super) fn sum<T: Word + Pod + Into<u64>>(kernel: &str, words: usize) -> Case {
    total(kernel, words, "ring::sum", folded::<T>, |device, values| {
        ring::sum::<T>(device, bytemuck::cast_slice(values)).map(Into::into)
    })
}

pub(super) fn ones(kernel: &str, words: usize) -> Case {
    total(kernel, words, "bits::ones", folded::<u64>, bits::ones)
}

/// The lower word of each is the one before it.
pub(super) fn funnel(kernel: &str, words: usize) -> Case {
    let batch = change(|device, out: &mut [u64], given: &[&[u64]]| {
        bits::shift_left(device, given[0], SHIFT as usize, out)
    });
    let high = vector::<u64>(words, 0);
    let low = [&[0], &high[..words - 1]].concat();
    let params = params(&[(BITS, SHIFT.into())]);
    Case::new(kernel, "bits::shift_left", words, batch).with(
        24 * words,
        params,
        vec![high, low],
        words / TILE,
    )
}

/// Integers become planes, or planes integers: as many words.
fn turned(kernel: &str, words: usize, name: &str, batch: fn(&Device, &[u64], &mut [u64]) -> Done) -> Case {
    let batch = change(move |device, out: &mut [u64], given: &[&[u64]]| batch(device, given[1], out));
    let vectors = vec![vec![0; words], vector::<u64>(words, 0)];
    let params = params(&[(0, (words / TILE) as u64)]);
    Case::new(kernel, name, words, batch).with(16 * words, params, vectors, words / TILE)
}

pub(super) fn to_planes(kernel: &str, words: usize) -> Case {
    turned(kernel, words, "bits::to_planes", bits::to_planes)
}

pub(super) fn from_planes(kernel: &str, words: usize) -> Case {
    turned(kernel, words, "bits::from_planes", bits::from_planes)
}

/// The sum of products: the host adds up the totals of the workgroups.
pub(super) fn dot<F: Field + Item>(kernel: &str, words: usize) -> Case {
    let batch = Box::new(move |device: &Device, vectors: &[Vec<u64>]| {
        let [a, b] = [F::of(&vectors[1])?, F::of(&vectors[2])?];
        let mut sum = F::ZERO;
        let taken = timed(|| field::dot(device, a, b).map(|total| sum = total))?;
        Ok((vec![sum.get()], taken))
    });
    let groups = words / SUM;
    let vectors = vec![vec![0; VECTOR * groups], vector::<F>(words, 0), vector::<F>(words, 1)];
    let params = params(&[(BITS, DOT_TURNS)]);
    let case = Case::new(kernel, "field::dot", words, batch).with(16 * words, params, vectors, groups);
    let host: fn(&[u64]) -> Vec<u64> = |totals| {
        let sum = totals.iter().fold(0, |sum, total| (sum + u128::from(*total)) % u128::from(F::MODULUS));
        vec![sum as u64]
    };
    Case { host, ..case }
}

/// A polynomial of few coefficients at many points.
pub(super) fn polynomial<F: Field + Item>(kernel: &str, words: usize) -> Case {
    let batch = change(|device, out: &mut [F], given: &[&[F]]| {
        out.copy_from_slice(given[1]);
        field::evaluate(device, given[2], out)
    });
    let vectors = vec![vec![0; words], vector::<F>(words, 0), vector::<F>(COEFFICIENTS, 1)];
    let units = words / POLYNOMIAL;
    let params = params(&[(0, units as u64), (BITS, COEFFICIENTS as u64)]);
    let name = format!("field::evaluate, {COEFFICIENTS} coefficients");
    Case::new(kernel, &name, words * COEFFICIENTS, batch).with(
        16 * words,
        params,
        vectors,
        units.div_ceil(LANES),
    )
}

pub(super) fn mul_add<F: Field + Item>(kernel: &str, words: usize) -> Case {
    let batch =
        change(|device, acc: &mut [F], given: &[&[F]]| field::mul_add(device, acc, given[1], given[2]));
    let vectors = (0..3).map(|salt| vector::<F>(words, salt)).collect();
    Case::new(kernel, "field::mul_add", words, batch).with(32 * words, Vec::new(), vectors, words / TILE)
}

/// Inverses, by Fermat's little theorem. The CPU's way is another.
pub(super) fn inverse<F: Field + Item>(kernel: &str, words: usize, exponent: u64) -> Case {
    let batch = change(|device, acc: &mut [F], _: &[&[F]]| field::inverse(device, acc));
    let bits = u64::BITS - exponent.leading_zeros();
    let products = words * (bits + exponent.count_ones()) as usize;
    let vectors = words / VECTOR;
    let params = params(&[(0, vectors as u64), (BITS, bits.into()), (LOWER, exponent)]);
    Case::new(kernel, "field::inverse", products, batch).with(
        16 * words,
        params,
        vec![vector::<F>(words, 0)],
        vectors.div_ceil(LANES),
    )
}

pub(super) fn encode(kernel: &str, words: usize) -> Result<Case, KernelError> {
    let format = Fixed::new(FRACTION, -(1 << 40), 1 << 40)?;
    let batch =
        change(move |device, out: &mut [i64], given: &[&[f64]]| fixed::encode(device, given[0], format, out));
    let places = [(BITS, FRACTION.into()), (LOWER, format.min() as u64), (super::UPPER, format.max() as u64)];
    Ok(tiled::<f64>(Case::new(kernel, "fixed::encode", words, batch), words, params(&places)))
}

pub(super) fn decode(kernel: &str, words: usize) -> Case {
    let batch =
        change(|device, out: &mut [f64], given: &[&[i64]]| fixed::decode(device, given[0], FRACTION, out));
    tiled::<i64>(Case::new(kernel, "fixed::decode", words, batch), words, params(&[(BITS, FRACTION.into())]))
}

pub(super) fn truncate(kernel: &str, words: usize) -> Case {
    let batch = change(|device, share: &mut [u64], _: &[&[u64]]| {
        fixed::truncate(device, share, FRACTION, fixed::Role::First)
    });
    tiled::<u64>(
        Case::new(kernel, "fixed::truncate", words, batch),
        words,
        params(&[(BITS, FRACTION.into()), (LOWER, 0)]),
    )
}

pub(super) fn truncate_opened(kernel: &str, words: usize) -> Case {
    let batch = change(|device, opened: &mut [u64], given: &[&[u64]]| {
        fixed::truncate_opened(device, opened, given[1], FRACTION, fixed::Role::First)
    });
    let vectors = vec![vector::<u64>(words, 0), vector::<u64>(words, 1)];
    let case = Case::new(kernel, "fixed::truncate_opened", words, batch);
    let params = params(&[(BITS, FRACTION.into()), (LOWER, u64::MAX)]);
    case.with(24 * words, params, vectors, words / TILE)
}
