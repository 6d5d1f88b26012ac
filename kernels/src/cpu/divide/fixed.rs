//! Fixed point.

use super::STREAMED;
use crate::cpu::Divide;
use crate::cpu::fixed::{Decode, Encode, OutOfRange, Truncate};

impl Divide for Encode<'_> {
    fn len(&self) -> usize {
        self.values.len()
    }
    fn nanoseconds(&self) -> usize {
        self.values.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Encode { values, format, out } = self;
        let ((values, values_rest), (out, out_rest)) = (values.split_at(at), out.split_at_mut(at));
        (Encode { values, format, out }, Encode { values: values_rest, format, out: out_rest })
    }
    nothing_to_join!();
}

impl Divide for Decode<'_> {
    fn len(&self) -> usize {
        self.values.len()
    }
    fn nanoseconds(&self) -> usize {
        self.values.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Decode { values, fraction_bits, out } = self;
        let ((values, values_rest), (out, out_rest)) = (values.split_at(at), out.split_at_mut(at));
        (Decode { values, fraction_bits, out }, Decode { values: values_rest, fraction_bits, out: out_rest })
    }
    nothing_to_join!();
}

impl Divide for Truncate<'_> {
    fn len(&self) -> usize {
        self.share.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.share) / STREAMED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Truncate { share, bits, sign } = self;
        let (share, rest) = share.split_at_mut(at);
        (Truncate { share, bits, sign }, Truncate { share: rest, bits, sign })
    }
    nothing_to_join!();
}

impl Divide for OutOfRange<'_> {
    fn len(&self) -> usize {
        self.values.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.values) / STREAMED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (values, rest) = self.values.split_at(at);
        let format = self.format;
        (OutOfRange { values, format }, OutOfRange { values: rest, format })
    }
    fn join(at: usize, left: Option<usize>, right: Option<usize>) -> Option<usize> {
        left.or(right.map(|index| at + index))
    }
}
