//! How each kernel is cut for several cores, and what it costs on one: the rough time with AVX2, in a cache.

use super::chacha::Keystream;
use super::mask::Mask;
use super::ring::{Sum, Zip};
use super::{Divide, Operation};
use crate::Word;
use crate::stream::BLOCK;

/// Bytes a nanosecond that an element-wise kernel writes, and that keystream has.
pub(super) const STREAMED: usize = 16;
pub(super) const EXPANDED: usize = 4;

/// What is the same in every kernel that writes its result.
macro_rules! nothing_to_join {
    () => {
        #[inline(always)]
        fn join(_: usize, (): (), (): ()) {}
    };
}

mod bits;
mod field;
mod fixed;
mod matmul;
mod noise;
mod shamir;

impl<O: Operation + Send, T: Word> Divide for Zip<'_, O, T> {
    fn len(&self) -> usize {
        self.acc.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.acc) / STREAMED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Zip { operation, acc, other } = self;
        let ((acc, acc_rest), (other, other_rest)) = (acc.split_at_mut(at), other.split_at(at));
        (Zip { operation, acc, other }, Zip { operation, acc: acc_rest, other: other_rest })
    }
    nothing_to_join!();
}

impl<T: Word> Divide for Sum<'_, T> {
    fn len(&self) -> usize {
        self.values.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.values) / STREAMED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (values, rest) = self.values.split_at(at);
        (Sum { values }, Sum { values: rest })
    }
    fn join(_: usize, left: T, right: T) -> T {
        left.wrapping_add(right)
    }
}

impl Divide for Keystream<'_> {
    const STEP: usize = 16 << 10;

    fn len(&self) -> usize {
        self.out.len()
    }
    fn nanoseconds(&self) -> usize {
        self.out.len() / EXPANDED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (out, rest) = self.out.split_at_mut(at);
        let later = self.span.after((at / BLOCK) as u64);
        (Keystream { span: self.span, out }, Keystream { span: later, out: rest })
    }
    nothing_to_join!();
}

impl<O: Operation + Send, T: Word> Divide for Mask<'_, O, T> {
    fn len(&self) -> usize {
        self.data.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.data) / EXPANDED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Mask { operation, span, data } = self;
        let (data, rest) = data.split_at_mut(at);
        let later = span.after((at * size_of::<T>() / BLOCK) as u64);
        (Mask { operation, span, data }, Mask { operation, span: later, data: rest })
    }
    nothing_to_join!();
}
