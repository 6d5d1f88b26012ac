//! Powers, inverses, inner products and polynomials in the prime fields.

use super::{IntSimd, Kernel, Lanes64, Prime};
use std::marker::PhantomData;
use zeroize::Zeroize;

/// Chains of products side by side, so that one multiplication need not wait for another.
const CHAINS: usize = 4;
/// Vectors that share one inversion: their products so far fill 8 KiB with AVX2.
const SHARED: usize = 256;

/// `values[i]` to the power of `exponent`, which is public.
pub(crate) struct Pow<'a, P> {
    pub(crate) values: &'a mut [u64],
    pub(crate) exponent: u64,
    pub(crate) field: PhantomData<P>,
}

impl<P: Prime> Kernel for Pow<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (vectors, rest) = S::as_mut_simd_u64s(self.values);
        let (chained, single) = vectors.as_chunks_mut::<CHAINS>();
        for vectors in chained {
            *vectors = power::<P, S, CHAINS>(simd, *vectors, self.exponent);
        }
        for vector in single {
            [*vector] = power::<P, S, 1>(simd, [*vector], self.exponent);
        }
        for value in rest {
            [*value] = power::<P, _, 1>(pulp::Scalar, [*value], self.exponent);
        }
    }
}

/// Squares and multiplies from the highest bit of the exponent on.
#[inline(always)]
fn power<P: Prime, S: IntSimd, const N: usize>(simd: S, x: [S::u64s; N], exponent: u64) -> [S::u64s; N] {
    let mut result = [simd.splat_u64s(1); N];
    for bit in (0..64 - exponent.leading_zeros()).rev() {
        for result in &mut result {
            *result = simd.multiply::<P>(*result, *result);
        }
        if exponent >> bit & 1 == 1 {
            for (result, x) in result.iter_mut().zip(&x) {
                *result = simd.multiply::<P>(*result, *x);
            }
        }
    }
    result
}

/// `values[i]` becomes its inverse; 0 stays 0.
pub(crate) struct Inverse<'a, P> {
    pub(crate) values: &'a mut [u64],
    pub(crate) modulus: u64,
    pub(crate) field: PhantomData<P>,
}

impl<P: Prime> Kernel for Inverse<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (vectors, rest) = S::as_mut_simd_u64s(self.values);
        for vectors in vectors.chunks_mut(SHARED) {
            invert::<P, S>(simd, vectors, self.modulus);
        }
        invert::<P, _>(pulp::Scalar, rest, self.modulus);
    }
}

/// Montgomery's trick, lane by lane: one inversion, by Fermat's little theorem, and three products a vector. 0 is
/// taken for 1, whose inverse is 1, and that is taken off again.
#[inline(always)]
fn invert<P: Prime, S: IntSimd>(simd: S, vectors: &mut [S::u64s], modulus: u64) {
    let one = simd.splat_u64s(1);
    let patch = |x| simd.and_u64s(simd.below(x, one), one);
    let mut before = [one; SHARED];
    let mut products = [one; CHAINS];
    for (i, (x, before)) in vectors.iter().zip(&mut before).enumerate() {
        let product = &mut products[i % CHAINS];
        *before = *product;
        *product = simd.multiply::<P>(*product, simd.add_u64s(*x, patch(*x)));
    }
    let mut inverses = power::<P, S, CHAINS>(simd, products, modulus - 2);
    for (i, (x, before)) in vectors.iter_mut().zip(&before).enumerate().rev() {
        let inverse = &mut inverses[i % CHAINS];
        let patch = patch(*x);
        let whole = simd.add_u64s(*x, patch);
        *x = simd.sub_u64s(simd.multiply::<P>(*inverse, *before), patch);
        *inverse = simd.multiply::<P>(*inverse, whole);
    }
    bytemuck::cast_slice_mut::<_, u64>(&mut before).zeroize();
}

/// The sum of `a[i] * b[i]`.
pub(crate) struct Dot<'a, P> {
    pub(crate) a: &'a [u64],
    pub(crate) b: &'a [u64],
    pub(crate) field: PhantomData<P>,
}

impl<P: Prime> Kernel for Dot<'_, P> {
    type Output = u64;

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) -> u64 {
        let ((a, a_rest), (b, b_rest)) = (S::as_simd_u64s(self.a), S::as_simd_u64s(self.b));
        let mut sums = [simd.splat_u64s(0); CHAINS];
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            let sum = &mut sums[i % CHAINS];
            *sum = P::add(simd, *sum, simd.multiply::<P>(*a, *b));
        }
        let scalar = pulp::Scalar;
        let lanes = bytemuck::cast_slice::<_, u64>(&sums).iter().copied();
        let rest = a_rest.iter().zip(b_rest).map(|(a, b)| scalar.multiply::<P>(*a, *b));
        lanes.chain(rest).fold(0, |sum, x| P::add(scalar, sum, x))
    }
}

/// `points[i]` becomes the value there of the polynomial with these coefficients, that of `x^0` first.
pub(crate) struct Evaluate<'a, P> {
    pub(crate) coefficients: &'a [u64],
    pub(crate) points: &'a mut [u64],
    pub(crate) field: PhantomData<P>,
}

impl<P: Prime> Kernel for Evaluate<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (vectors, rest) = S::as_mut_simd_u64s(self.points);
        let (chained, single) = vectors.as_chunks_mut::<CHAINS>();
        for points in chained {
            *points = horner::<P, S, CHAINS>(simd, self.coefficients, *points);
        }
        for point in single {
            [*point] = horner::<P, S, 1>(simd, self.coefficients, [*point]);
        }
        for point in rest {
            [*point] = horner::<P, _, 1>(pulp::Scalar, self.coefficients, [*point]);
        }
    }
}

#[inline(always)]
fn horner<P: Prime, S: IntSimd, const N: usize>(
    simd: S,
    coefficients: &[u64],
    x: [S::u64s; N],
) -> [S::u64s; N] {
    let mut result = [simd.splat_u64s(0); N];
    for coefficient in coefficients.iter().rev() {
        let coefficient = simd.splat_u64s(*coefficient);
        for (result, x) in result.iter_mut().zip(&x) {
            *result = P::add(simd, simd.multiply::<P>(*result, *x), coefficient);
        }
    }
    result
}
