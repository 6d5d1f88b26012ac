//! Transforms of two, four and eight vectors of `Field64`, lane by lane. The root of order 8 is `-2^24`, so their
//! inner products are shifts.

use super::super::IntSimd;
use super::super::Prime;
use super::super::prime::difference;
use crate::field::Field64;

/// As many vectors become their sums with the powers of the root of that order.
#[inline(always)]
pub(super) fn dft<S: IntSimd, const RADIX: usize>(simd: S, mut a: [S::u64s; RADIX]) -> [S::u64s; RADIX] {
    match RADIX {
        2 => (a[0], a[1]) = (plus(simd, a[0], a[1]), minus(simd, a[0], a[1])),
        4 => {
            let four = dft4(simd, [a[0], a[1], a[2], a[3]]);
            a[..4].copy_from_slice(&four);
        }
        _ => {
            let eight = dft8(simd, [a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]]);
            a[..8].copy_from_slice(&eight);
        }
    }
    a
}

#[inline(always)]
fn dft8<S: IntSimd>(simd: S, a: [S::u64s; 8]) -> [S::u64s; 8] {
    let sums =
        [plus(simd, a[0], a[4]), plus(simd, a[1], a[5]), plus(simd, a[2], a[6]), plus(simd, a[3], a[7])];
    // The first and the third power of the root are negative: their differences are the other way round.
    let differences = [
        minus(simd, a[0], a[4]),
        times_2_24(simd, minus(simd, a[5], a[1])),
        times_2_48(simd, minus(simd, a[2], a[6])),
        times_2_72(simd, minus(simd, a[7], a[3])),
    ];
    let [x0, x2, x4, x6] = dft4(simd, sums);
    let [x1, x3, x5, x7] = dft4(simd, differences);
    [x0, x1, x2, x3, x4, x5, x6, x7]
}

#[inline(always)]
fn dft4<S: IntSimd>(simd: S, a: [S::u64s; 4]) -> [S::u64s; 4] {
    let (even, odd) = (plus(simd, a[0], a[2]), plus(simd, a[1], a[3]));
    let (low, high) = (minus(simd, a[0], a[2]), times_2_48(simd, minus(simd, a[1], a[3])));
    [plus(simd, even, odd), plus(simd, low, high), minus(simd, even, odd), minus(simd, low, high)]
}

#[inline(always)]
pub(super) fn plus<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
    Field64::add(simd, a, b)
}

#[inline(always)]
pub(super) fn minus<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
    Field64::sub(simd, a, b)
}

/// With `x = high 2^40 + low` the product is `low 2^24 + high (2^32 - 1)`.
#[inline(always)]
fn times_2_24<S: IntSimd>(simd: S, x: S::u64s) -> S::u64s {
    simd.add_high(simd.flip(simd.left_u64s(x, 24)), simd.right_u64s(x, 40))
}

#[inline(always)]
fn times_2_48<S: IntSimd>(simd: S, x: S::u64s) -> S::u64s {
    Field64::reduce(simd, simd.left_u64s(x, 48), simd.right_u64s(x, 16))
}

/// With `x = high 2^24 + low` the product is `low (2^40 - 2^8) - high`, since `2^72 = 2^40 - 2^8` and `2^96 = -1`. Both
/// are below the modulus.
#[inline(always)]
fn times_2_72<S: IntSimd>(simd: S, x: S::u64s) -> S::u64s {
    let moved = simd.left_u64s(x, 40);
    let low = simd.sub_u64s(moved, simd.right_u64s(moved, 32));
    difference(simd, simd.flip(low), simd.flip(simd.right_u64s(x, 24)))
}
