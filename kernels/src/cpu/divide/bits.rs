//! Packed bits, and planes of them.

use super::STREAMED;
use crate::cpu::Divide;
use crate::cpu::bits::{Funnel, Not, Ones};
use crate::cpu::planes::{FromPlanes, SIDE, STEP, ToPlanes};

impl Divide for Not<'_> {
    fn len(&self) -> usize {
        self.words.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.words) / STREAMED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (words, rest) = self.words.split_at_mut(at);
        (Not { words }, Not { words: rest })
    }
    nothing_to_join!();
}

impl Divide for Ones<'_> {
    fn len(&self) -> usize {
        self.words.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.words) / STREAMED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (words, rest) = self.words.split_at(at);
        (Ones { words }, Ones { words: rest })
    }
    fn join(_: usize, left: u64, right: u64) -> u64 {
        left + right
    }
}

impl Divide for Funnel<'_> {
    fn len(&self) -> usize {
        self.out.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.out) / STREAMED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Funnel { high, low, by, out } = self;
        let ((high, high_rest), (low, low_rest)) = (high.split_at(at), low.split_at(at));
        let (out, out_rest) = out.split_at_mut(at);
        (Funnel { high, low, by, out }, Funnel { high: high_rest, low: low_rest, by, out: out_rest })
    }
    nothing_to_join!();
}

/// Planes are read and written from many places at once, at half the rate.
const SCATTERED: usize = STREAMED / 2;

impl Divide for ToPlanes<'_> {
    const STEP: usize = STEP;

    fn len(&self) -> usize {
        self.values.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.values) / SCATTERED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let ((values, values_rest), (planes, rest)) = (self.values.split_at(at), self.planes.cut(at / SIDE));
        (ToPlanes { values, planes }, ToPlanes { values: values_rest, planes: rest })
    }
    nothing_to_join!();
}

impl Divide for FromPlanes<'_> {
    const STEP: usize = STEP;

    fn len(&self) -> usize {
        self.values.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.values) / SCATTERED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let FromPlanes { planes, stride, values } = self;
        let (values, rest) = values.split_at_mut(at);
        let later = &planes[at / SIDE..];
        (FromPlanes { planes, stride, values }, FromPlanes { planes: later, stride, values: rest })
    }
    nothing_to_join!();
}
