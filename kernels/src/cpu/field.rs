//! Element-wise arithmetic in the prime fields.

use super::lines::ahead;
use super::{IntSimd, Kernel, Prime};
use std::marker::PhantomData;

/// Sum, difference or product of elements.
pub(crate) trait Operation: Copy {
    /// Whether it takes long enough for a read ahead not to be felt in the caches.
    const LONG: bool;
    fn apply<P: Prime, S: IntSimd>(self, simd: S, a: S::u64s, b: S::u64s) -> S::u64s;
}

macro_rules! operation {
    ($name:ident, $long:literal, $text:literal, |$simd:ident, $a:ident, $b:ident| $body:expr) => {
        #[doc = $text]
        #[derive(Clone, Copy)]
        pub(crate) struct $name;

        impl Operation for $name {
            const LONG: bool = $long;
            #[inline(always)]
            fn apply<P: Prime, S: IntSimd>(self, $simd: S, $a: S::u64s, $b: S::u64s) -> S::u64s {
                $body
            }
        }
    };
}
operation!(Add, false, "Sum.", |simd, a, b| P::add(simd, a, b));
operation!(Sub, false, "Difference.", |simd, a, b| P::sub(simd, a, b));
operation!(Mul, true, "Product.", |simd, a, b| simd.multiply::<P>(a, b));

/// `acc[i] = operation(acc[i], other[i])`.
pub(crate) struct Zip<'a, P, O> {
    pub(super) operation: O,
    pub(super) acc: &'a mut [u64],
    pub(super) other: &'a [u64],
    field: PhantomData<P>,
}

impl<'a, P, O> Zip<'a, P, O> {
    pub(crate) fn new(operation: O, acc: &'a mut [u64], other: &'a [u64]) -> Self {
        Zip { operation, acc, other, field: PhantomData }
    }
}

impl<P: Prime, O: Operation> Kernel for Zip<'_, P, O> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (acc, acc_rest) = S::as_mut_simd_u64s(self.acc);
        let (other, other_rest) = S::as_simd_u64s(self.other);
        for (a, b) in acc.iter_mut().zip(other) {
            if O::LONG {
                ahead(a);
                ahead(b);
            }
            *a = self.operation.apply::<P, S>(simd, *a, *b);
        }
        for (a, b) in acc_rest.iter_mut().zip(other_rest) {
            *a = self.operation.apply::<P, _>(pulp::Scalar, *a, *b);
        }
    }
}

/// `values[i] = 0 - values[i]`.
pub(crate) struct Neg<'a, P> {
    pub(crate) values: &'a mut [u64],
    pub(crate) field: PhantomData<P>,
}

impl<P: Prime> Kernel for Neg<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (values, rest) = S::as_mut_simd_u64s(self.values);
        for value in values {
            *value = P::sub(simd, simd.splat_u64s(0), *value);
        }
        for value in rest {
            *value = P::sub(pulp::Scalar, 0, *value);
        }
    }
}

/// `acc[i] += a[i] * b[i]`.
pub(crate) struct MulAdd<'a, P> {
    pub(crate) acc: &'a mut [u64],
    pub(crate) a: &'a [u64],
    pub(crate) b: &'a [u64],
    pub(crate) field: PhantomData<P>,
}

impl<P: Prime> Kernel for MulAdd<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (acc, acc_rest) = S::as_mut_simd_u64s(self.acc);
        let ((a, a_rest), (b, b_rest)) = (S::as_simd_u64s(self.a), S::as_simd_u64s(self.b));
        for ((acc, a), b) in acc.iter_mut().zip(a).zip(b) {
            ahead(acc);
            ahead(a);
            ahead(b);
            *acc = P::add(simd, *acc, simd.multiply::<P>(*a, *b));
        }
        for ((acc, a), b) in acc_rest.iter_mut().zip(a_rest).zip(b_rest) {
            use super::lanes64::Lanes64;
            *acc = P::add(pulp::Scalar, *acc, pulp::Scalar.multiply::<P>(*a, *b));
        }
    }
}
