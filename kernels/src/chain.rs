//! Chains of element-wise steps, as devices are given them. [`crate::plan`] is how a caller writes one.

use crate::stream::Span;

/// What a step does to each element `x` of the vector, given the element `y` of its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// `x = y`
    Take,
    /// `x += y`
    Add,
    /// `x -= y`
    Sub,
    /// `x *= y`
    Mul,
    /// `x ^= y`
    Xor,
    /// `x &= y`
    And,
    /// `held = y`
    Hold,
    /// `x += held * y`; what was held is used up.
    MulHeld,
}

/// Where a step's elements come from; `V` is how a device refers to a vector.
pub(crate) enum Operand<'a, T, V> {
    /// A vector as long as the chain's.
    Vector(V),
    /// Keystream, read as little-endian elements.
    Stream(Span<'a>),
    /// The same element everywhere.
    Constant(T),
}

/// One step.
pub(crate) struct Step<'a, T, V> {
    pub(crate) action: Action,
    pub(crate) operand: Operand<'a, T, V>,
}

impl<'a, T, V> Step<'a, T, V> {
    /// With all elements of a vector.
    pub(crate) fn vector(action: Action, vector: V) -> Self {
        Step { action, operand: Operand::Vector(vector) }
    }

    /// With keystream.
    pub(crate) fn stream(action: Action, span: Span<'a>) -> Self {
        Step { action, operand: Operand::Stream(span) }
    }
}
