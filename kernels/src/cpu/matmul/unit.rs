//! Products by instructions that a vector level does not have of itself.

use super::{Entry, MultiplyAdd};
use crate::cpu::{IntSimd, Kernel};

/// Proof of such instructions.
pub(crate) trait Unit<T: Entry>: Copy + Send + Sync {
    /// How many times as fast as without, at least.
    const FASTER: usize;
    /// `acc += a b`, once or several times, by these instructions where they are faster; no size is 0.
    fn multiply(self, products: MultiplyAdd<'_, T>);
}

/// Products by a unit, as a kernel, which threads can share.
pub(crate) struct By<'a, U, T: Entry> {
    pub(crate) unit: U,
    pub(crate) products: MultiplyAdd<'a, T>,
}

impl<'a, T: Entry> MultiplyAdd<'a, T> {
    pub(crate) fn by<U>(self, unit: U) -> By<'a, U, T> {
        By { unit, products: self }
    }
}

impl<T: Entry, U: Unit<T>> Kernel for By<'_, U, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, _: S) {
        self.unit.multiply(self.products);
    }
}
