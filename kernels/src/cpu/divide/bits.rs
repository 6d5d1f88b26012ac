//! Packed bits.

use super::STREAMED;
use crate::cpu::Divide;
use crate::cpu::bits::{Funnel, Not, Ones};

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
