//! Sums of products by 52-bit multiply-adds (AVX-512 IFMA): `vpmadd52luq` and `vpmadd52huq` add the lower and the upper half
//! of the 104-bit product of two 52-bit numbers to a lane of 64 bits. A multiplication of whole lanes takes as long as three
//! or four of them.

use super::entry::Product;
use super::sums::Sums;
use super::{Entry, MultiplyAdd, Unit, blocks};
use crate::cpu::{Arch, IntSimd};
use pulp::core_arch::x86::Avx512ifma;
use pulp::x86::V4;
use pulp::{NullaryFnOnce, Simd, u32x16, u64x8};

#[allow(unsafe_code)] // The macro's own, for what the CPU is known to have.
mod features {
    pulp::simd_type! {
        /// The instructions of [`V4`](pulp::x86::V4), which functions are compiled for, and IFMA.
        pub struct Features {
            sse: "sse",
            sse2: "sse2",
            fxsr: "fxsr",
            sse3: "sse3",
            ssse3: "ssse3",
            sse4_1: "sse4.1",
            sse4_2: "sse4.2",
            popcnt: "popcnt",
            avx: "avx",
            avx2: "avx2",
            bmi1: "bmi1",
            bmi2: "bmi2",
            fma: "fma",
            lzcnt: "lzcnt",
            avx512f: "avx512f",
            avx512bw: "avx512bw",
            avx512cd: "avx512cd",
            avx512dq: "avx512dq",
            avx512vl: "avx512vl",
            pub ifma: "avx512ifma",
        }
    }
}
use features::Features;

/// Proof that the CPU has AVX-512 and IFMA.
#[derive(Clone, Copy)]
pub struct Ifma {
    simd: V4,
    features: Features,
}

impl Ifma {
    /// `None` without the instructions.
    pub(crate) fn try_new() -> Option<Ifma> {
        Some(Ifma { simd: V4::try_new()?, features: Features::try_new()? })
    }

    pub(crate) fn simd(self) -> V4 {
        self.simd
    }

    pub(super) fn blocks<T: Entry>(self, products: MultiplyAdd<'_, T>)
    where
        Ifma: Sums<T>,
    {
        self.features.vectorize(Blocks { ifma: self, products });
    }
}

struct Blocks<'a, T: Entry> {
    ifma: Ifma,
    products: MultiplyAdd<'a, T>,
}

impl<T: Entry> NullaryFnOnce for Blocks<'_, T>
where
    Ifma: Sums<T>,
{
    type Output = ();

    #[inline(always)]
    fn call(self) {
        blocks::<T, Ifma, 6>(self.ifma, self.products);
    }
}

/// Rows from which on it pays that the right matrix becomes two when packed.
const LEAST_ROWS: usize = 96;

impl<T: Product> Unit<T> for Ifma {
    const FASTER: usize = 1;

    fn multiply(self, products: MultiplyAdd<'_, T>) {
        if products.shape.rows < LEAST_ROWS {
            Arch::Avx512(self.simd).run(products);
        } else {
            T::multiply_fused(self, products);
        }
    }
}

/// Bits that a multiply-add takes of a lane.
const TAKEN: u32 = 52;
/// Bits of a lane that it does not take.
const LEFT: u32 = 64 - TAKEN;

/// One multiply-add for eight products: even and odd elements apart, each as the lower half of a lane. What is in the upper
/// half, another element or nothing, changes no bit of the lower half of a sum.
impl Sums<u32> for Ifma {
    type Simd = V4;
    /// Of even and of odd elements.
    type Sum = [u64x8; 2];
    type Left = u32x16;
    type Right = [u32x16; 2];
    #[inline(always)]
    fn simd(self) -> V4 {
        self.simd
    }
    #[inline(always)]
    fn left(self, a: u32x16) -> u32x16 {
        a
    }
    #[inline(always)]
    fn right(self, b: u32x16) -> [u32x16; 2] {
        [b, pulp::cast(self.simd.right_u64s(pulp::cast(b), 32))]
    }
    #[inline(always)]
    fn none(self) -> [u64x8; 2] {
        [self.simd.splat_u64s(0); 2]
    }
    #[inline(always)]
    fn product(self, [even, odd]: [u64x8; 2], [a, _]: [u32; 2], [b_even, b_odd]: [u32x16; 2]) -> [u64x8; 2] {
        let a = pulp::cast(self.simd.splat_u32s(a));
        [
            lower(self.features.ifma, even, a, pulp::cast(b_even)),
            lower(self.features.ifma, odd, a, pulp::cast(b_odd)),
        ]
    }
    #[inline(always)]
    fn total(self, [even, odd]: [u64x8; 2]) -> u32x16 {
        let lower = self.simd.and_u64s(even, self.simd.splat_u64s(0xffff_ffff));
        pulp::cast(self.simd.or_u64s(lower, self.simd.left_u64s(odd, 32)))
    }
}

/// Three multiply-adds for eight products. Of `a b` modulo 2^64 the lower 52 bits are those of the product of what is taken
/// of both. The upper 12 are the sum of its upper half and of `low(a) high(b) + high(a) low(b)`, `low` being the lowest 12
/// bits and `high` the 12 that are not taken. That sum is the upper half of a product too: with
/// `x = 2^13 low(a) + 2^39 high(a)`, and `y` the same of `b`, in `x y` it has the weight 2^52, the product of the low
/// parts is below 2^50, and that of the high ones is a multiple of 2^78.
impl Sums<u64> for Ifma {
    type Simd = V4;
    /// What is summed at weight 1 and at 2^52.
    type Sum = [u64x8; 2];
    /// `a` and `x`.
    type Left = [u64x8; 2];
    /// `b` and `y`.
    type Right = [u64x8; 2];
    #[inline(always)]
    fn simd(self) -> V4 {
        self.simd
    }
    #[inline(always)]
    fn left(self, a: u64x8) -> [u64x8; 2] {
        let simd = self.simd;
        let low = simd.left_u64s(simd.and_u64s(a, simd.splat_u64s(LOW)), LOW_AT);
        let high = simd.left_u64s(simd.right_u64s(a, TAKEN), HIGH_AT);
        [a, simd.or_u64s(low, high)]
    }
    #[inline(always)]
    fn right(self, b: u64x8) -> [u64x8; 2] {
        <Ifma as Sums<u64>>::left(self, b)
    }
    #[inline(always)]
    fn none(self) -> [u64x8; 2] {
        [self.simd.splat_u64s(0); 2]
    }
    #[inline(always)]
    fn product(self, [one, upper]: [u64x8; 2], [a, x]: [u64; 2], [b, y]: [u64x8; 2]) -> [u64x8; 2] {
        let ifma = self.features.ifma;
        let (a, x) = (self.simd.splat_u64s(a), self.simd.splat_u64s(x));
        [lower(ifma, one, a, b), higher(ifma, higher(ifma, upper, a, b), x, y)]
    }
    #[inline(always)]
    fn total(self, [one, upper]: [u64x8; 2]) -> u64x8 {
        self.simd.add_u64s(one, self.simd.left_u64s(upper, TAKEN))
    }
}

/// The lowest bits of an element, as many as are not taken.
const LOW: u64 = (1 << LEFT) - 1;
/// Where they are in `x` and `y`, and where the highest are.
const LOW_AT: u32 = 13;
const HIGH_AT: u32 = TAKEN - LOW_AT;

/// `sum` and the lower half of `a b`.
#[inline(always)]
fn lower(ifma: Avx512ifma, sum: u64x8, a: u64x8, b: u64x8) -> u64x8 {
    pulp::cast(ifma._mm512_madd52lo_epu64(pulp::cast(sum), pulp::cast(a), pulp::cast(b)))
}

/// `sum` and the upper half of `a b`.
#[inline(always)]
fn higher(ifma: Avx512ifma, sum: u64x8, a: u64x8, b: u64x8) -> u64x8 {
    pulp::cast(ifma._mm512_madd52hi_epu64(pulp::cast(sum), pulp::cast(a), pulp::cast(b)))
}
