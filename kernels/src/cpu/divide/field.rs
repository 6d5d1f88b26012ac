//! Elements of prime fields.

use super::STREAMED;
use crate::cpu::field::{self, MulAdd, Neg};
use crate::cpu::power::{Dot, Evaluate, Inverse, Pow};
use crate::cpu::uniform::Uniform;
use crate::cpu::{Divide, Prime};
use crate::field::uniform;

impl<P: Prime + Send, O: field::Operation + Send> Divide for field::Zip<'_, P, O> {
    fn len(&self) -> usize {
        self.acc.len()
    }
    fn nanoseconds(&self) -> usize {
        self.acc.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let operation = self.operation;
        let ((acc, acc_rest), (other, other_rest)) = (self.acc.split_at_mut(at), self.other.split_at(at));
        (field::Zip::new(operation, acc, other), field::Zip::new(operation, acc_rest, other_rest))
    }
    nothing_to_join!();
}

impl<P: Prime + Send> Divide for Neg<'_, P> {
    fn len(&self) -> usize {
        self.values.len()
    }
    fn nanoseconds(&self) -> usize {
        size_of_val(self.values) / STREAMED
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (values, rest) = self.values.split_at_mut(at);
        (Neg { values, ..self }, Neg { values: rest, field: self.field })
    }
    nothing_to_join!();
}

impl<P: Prime + Send> Divide for MulAdd<'_, P> {
    fn len(&self) -> usize {
        self.acc.len()
    }
    fn nanoseconds(&self) -> usize {
        self.acc.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let MulAdd { acc, a, b, field } = self;
        let ((a, a_rest), (b, b_rest)) = (a.split_at(at), b.split_at(at));
        let (acc, acc_rest) = acc.split_at_mut(at);
        (MulAdd { acc, a, b, field }, MulAdd { acc: acc_rest, a: a_rest, b: b_rest, field })
    }
    nothing_to_join!();
}

impl<P: Prime + Send> Divide for Pow<'_, P> {
    fn len(&self) -> usize {
        self.values.len()
    }
    /// At most two products a bit.
    fn nanoseconds(&self) -> usize {
        self.values.len().saturating_mul(2 * (64 - self.exponent.leading_zeros() as usize))
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Pow { values, exponent, field } = self;
        let (values, rest) = values.split_at_mut(at);
        (Pow { values, exponent, field }, Pow { values: rest, exponent, field })
    }
    nothing_to_join!();
}

impl<P: Prime + Send> Divide for Inverse<'_, P> {
    fn len(&self) -> usize {
        self.values.len()
    }
    fn nanoseconds(&self) -> usize {
        self.values.len().saturating_mul(5)
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Inverse { values, modulus, field } = self;
        let (values, rest) = values.split_at_mut(at);
        (Inverse { values, modulus, field }, Inverse { values: rest, modulus, field })
    }
    nothing_to_join!();
}

impl<P: Prime + Send> Divide for Dot<'_, P> {
    fn len(&self) -> usize {
        self.a.len()
    }
    fn nanoseconds(&self) -> usize {
        self.a.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Dot { a, b, field } = self;
        let ((a, a_rest), (b, b_rest)) = (a.split_at(at), b.split_at(at));
        (Dot { a, b, field }, Dot { a: a_rest, b: b_rest, field })
    }
    fn join(_: usize, left: u64, right: u64) -> u64 {
        P::add(pulp::Scalar, left, right)
    }
}

impl<P: Prime + Send> Divide for Evaluate<'_, P> {
    fn len(&self) -> usize {
        self.points.len()
    }
    fn nanoseconds(&self) -> usize {
        self.points.len().saturating_mul(self.coefficients.len())
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Evaluate { coefficients, points, field } = self;
        let (points, rest) = points.split_at_mut(at);
        (Evaluate { coefficients, points, field }, Evaluate { coefficients, points: rest, field })
    }
    nothing_to_join!();
}

/// Two blocks for eight elements.
impl<P: Prime + Send> Divide for Uniform<'_, P> {
    fn len(&self) -> usize {
        self.out.len()
    }
    fn nanoseconds(&self) -> usize {
        self.out.len().saturating_mul(6)
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Uniform { span, out, field } = self;
        let (out, rest) = out.split_at_mut(at);
        let later = span.after(uniform::BLOCKS * (at / uniform::GROUP) as u64);
        (Uniform { span, out, field }, Uniform { span: later, out: rest, field })
    }
    nothing_to_join!();
}
