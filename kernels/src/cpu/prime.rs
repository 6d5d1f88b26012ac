//! Arithmetic of the two primes on vectors of canonical elements: results are canonical too, and no step depends
//! on a value.

use super::IntSimd;
use crate::field::{Field, Field64, M61};

/// The low 32 bits of a lane.
pub(super) const LOW: u64 = u32::MAX as u64;

/// The arithmetic of a field, lane by lane. Arguments and results are below the modulus.
pub trait Prime: Copy + 'static {
    /// Sum.
    fn add<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s;
    /// Difference.
    fn sub<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s;
    /// The element that `low + 2^64 high` is. The two are a product of elements, plus an element at most.
    fn reduce<S: IntSimd>(simd: S, low: S::u64s, high: S::u64s) -> S::u64s;
    /// The same for any two words.
    fn reduce_any<S: IntSimd>(simd: S, low: S::u64s, high: S::u64s) -> S::u64s;
    /// Product, from products of 32-bit halves.
    fn mul_halves<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s;
}

/// The four products of 32-bit halves: low, the two in the middle, high.
#[inline(always)]
fn halves<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> [S::u64s; 4] {
    let (a1, b1) = (simd.upper(a), simd.upper(b));
    [simd.mul_low(a, b), simd.mul_low(a1, b), simd.mul_low(a, b1), simd.mul_low(a1, b1)]
}

/// `low` in the low halves, the low half of `high` above it.
#[inline(always)]
fn join<S: IntSimd>(simd: S, low: S::u64s, high: S::u64s) -> S::u64s {
    simd.or_u64s(simd.and_u64s(low, simd.splat_u64s(LOW)), simd.left_u64s(high, 32))
}

impl Prime for M61 {
    #[inline(always)]
    fn add<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        simd.reduce_once(simd.add_u64s(a, b), simd.splat_u64s(M61::MODULUS))
    }
    #[inline(always)]
    fn sub<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        let p = simd.splat_u64s(M61::MODULUS);
        simd.reduce_once(simd.add_u64s(a, simd.sub_u64s(p, b)), p)
    }
    /// 2^61 = 1: the bits above it are added to those below.
    #[inline(always)]
    fn reduce<S: IntSimd>(simd: S, low: S::u64s, high: S::u64s) -> S::u64s {
        let p = simd.splat_u64s(M61::MODULUS);
        let above = simd.or_u64s(simd.right_u64s(low, 61), simd.left_u64s(high, 3));
        simd.reduce_once(simd.add_u64s(simd.and_u64s(low, p), above), p)
    }
    /// 2^64 = 8: the sum of both words' 61 bits, of `high`'s after its shift, and of what is above them is less than
    /// twice the modulus plus 72, which is below 2^63.
    #[inline(always)]
    fn reduce_any<S: IntSimd>(simd: S, low: S::u64s, high: S::u64s) -> S::u64s {
        let p = simd.splat_u64s(M61::MODULUS);
        let below = simd.and_u64s(low, p);
        let above = simd.and_u64s(simd.left_u64s(high, 3), p);
        let rest = simd.add_u64s(simd.right_u64s(low, 61), simd.right_u64s(high, 58));
        let sum = simd.add_u64s(simd.add_u64s(below, above), rest);
        simd.reduce_once(simd.reduce_once(sum, p), p)
    }
    /// The product is `high 2^64 + middle 2^32 + (low mod 2^32)`; the middle is below 2^62, since the upper halves
    /// of elements have 29 bits. Its quotient by 2^61 is at most the modulus less two, so one subtraction suffices.
    #[inline(always)]
    fn mul_halves<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        let p = simd.splat_u64s(M61::MODULUS);
        let [low, middle_a, middle_b, high] = halves(simd, a, b);
        let middle = simd.add_u64s(simd.add_u64s(middle_a, simd.right_u64s(low, 32)), middle_b);
        let above = simd.add_u64s(simd.left_u64s(high, 3), simd.right_u64s(middle, 29));
        let below = simd.and_u64s(join(simd, low, middle), p);
        simd.reduce_once(simd.add_u64s(above, below), p)
    }
}

impl Prime for Field64 {
    /// `a - (p - b)`, and the modulus where that is negative.
    #[inline(always)]
    fn add<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        let p = simd.splat_u64s(Field64::MODULUS);
        difference(simd, simd.flip(a), simd.sub_u64s(simd.flip(p), b))
    }
    #[inline(always)]
    fn sub<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        difference(simd, simd.flip(a), simd.flip(b))
    }
    /// 2^64 = 2^32 - 1 and 2^96 = -1: with `high = h1 2^32 + h0` it is `low - h1 + h0 (2^32 - 1)`.
    ///
    /// The first step adds `p` where it borrows, which cannot borrow again, since `h1` is below 2^32.
    #[inline(always)]
    fn reduce<S: IntSimd>(simd: S, low: S::u64s, high: S::u64s) -> S::u64s {
        let low = simd.flip(low);
        let less = simd.sub_u64s(low, simd.right_u64s(high, 32));
        // All ones, shifted: 2^32 - 1, which is -p.
        let wrapped = simd.right_u64s(simd.below_flipped(low, less), 32);
        simd.add_high(simd.sub_u64s(less, wrapped), high)
    }
    /// No step of `reduce` asks more of the words.
    #[inline(always)]
    fn reduce_any<S: IntSimd>(simd: S, low: S::u64s, high: S::u64s) -> S::u64s {
        Self::reduce(simd, low, high)
    }
    #[inline(always)]
    fn mul_halves<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        let (low, high) = wide(simd, a, b);
        Self::reduce(simd, low, high)
    }
}

/// The low and the high word of a product. No sum of the middle overflows: a product of halves is at most
/// `(2^32 - 1)^2`, and what is added to it is below 2^32.
#[inline(always)]
fn wide<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> (S::u64s, S::u64s) {
    let [low, middle_a, middle_b, high] = halves(simd, a, b);
    let first = simd.add_u64s(middle_a, simd.right_u64s(low, 32));
    let second = simd.add_u64s(middle_b, simd.and_u64s(first, simd.splat_u64s(LOW)));
    let high = simd.add_u64s(simd.add_u64s(high, simd.right_u64s(first, 32)), simd.right_u64s(second, 32));
    (join(simd, low, second), high)
}

/// `a - b`, and `Field64`'s modulus where that is negative; both flipped.
#[inline(always)]
pub(super) fn difference<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
    let p = simd.and_u64s(simd.below_flipped(a, b), simd.splat_u64s(Field64::MODULUS));
    simd.add_u64s(simd.sub_u64s(a, b), p)
}
