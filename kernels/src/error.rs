//! What a batch function can refuse.

/// Why a batch was not computed. Nothing was written unless the variant says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// Two slices that go together differ in length.
    #[error("{operation}: the slices have {left} and {right} elements; give slices of one length")]
    Length {
        /// The function that refused.
        operation: &'static str,
        /// Length of the slice that is written.
        left: usize,
        /// Length of the other slice.
        right: usize,
    },
    /// A slice has not the size that its shape asks for.
    #[error("{operation}: {slice} has {given} elements and needs {needed}")]
    Size {
        /// The function that refused.
        operation: &'static str,
        /// The argument.
        slice: &'static str,
        /// Its length.
        given: usize,
        /// The length that would be right.
        needed: usize,
    },
    /// A word is no element of the field: it is not below the modulus.
    #[error("word {index} is not below the modulus of {field}; reduce it, or refuse its sender")]
    NotCanonical {
        /// The field's name.
        field: &'static str,
        /// Index of the first such word.
        index: usize,
    },
    /// Two points of an interpolation are equal.
    #[error("points {first} and {second} are equal; an interpolation needs points that differ")]
    SamePoint {
        /// Index of one.
        first: usize,
        /// Index of the other.
        second: usize,
    },
    /// A transform of a size for which the field has no root of unity.
    #[error("Field64 has no transform of 2^{log} elements: 2^32 is the largest")]
    NoRoot {
        /// Binary logarithm of the size that was asked for.
        log: u32,
    },
    /// The call would run past the last block of the stream.
    #[error(
        "the stream has {left} blocks of keystream left and {needed} are needed; take a stream of a new id"
    )]
    StreamExhausted {
        /// Blocks that the call needs.
        needed: u64,
        /// Blocks left; `u64::MAX` also where one more is left.
        left: u64,
    },
    /// Two copies of what should be the same share differ.
    #[error(
        "{operation}: the two copies of a share differ from element {index} on; one of its holders is wrong"
    )]
    Disagree {
        /// The function that refused.
        operation: &'static str,
        /// The first place where they differ.
        index: usize,
    },
    /// A threshold that leaves nothing secret, or nobody to reconstruct.
    #[error("a threshold of {threshold} of {parties} parties; it must be at least 1 and below the parties")]
    Threshold {
        /// How many parties there are.
        parties: u32,
        /// How many of them should learn nothing.
        threshold: u32,
    },
    /// A party that the scheme does not have.
    #[error("there is no party {party}; the parties are 1 to {parties}")]
    PartyIndex {
        /// What was given.
        party: u32,
        /// How many parties there are.
        parties: u32,
    },
    /// A party is there twice.
    #[error("party {party} is named twice; give each party's share once")]
    SameParty {
        /// Which one.
        party: u32,
    },
    /// Fewer shares than can reconstruct.
    #[error("{given} shares are too few: {needed} are needed; ask more parties")]
    TooFewShares {
        /// How many there are.
        given: usize,
        /// The least that would do.
        needed: usize,
    },
    /// More shares of an element are wrong than can be corrected.
    #[error(
        "more than {most} shares of element {element} are wrong, which cannot be corrected; ask more parties"
    )]
    TooManyWrong {
        /// The first such element.
        element: usize,
        /// The most that can be corrected.
        most: usize,
    },
    /// A buffer is in the memory of another device.
    #[error("{operand} of the plan is in the memory of another device; move it by download and upload")]
    OtherDevice {
        /// Which buffer.
        operand: &'static str,
    },
    /// A plan has more than any device takes at once.
    #[error("the plan has {given} {what}, at most {most} fit one; make two of it")]
    PlanTooLarge {
        /// Steps, buffers or streams.
        what: &'static str,
        /// How many.
        given: usize,
        /// The most there can be.
        most: usize,
    },
    /// Fraction bits outside what the format has.
    #[error("{given} fraction bits are too many: at most {most}")]
    FractionBits {
        /// What was asked.
        given: u32,
        /// The most there can be.
        most: u32,
    },
    /// The bounds of a fixed-point format are reversed or too wide.
    #[error("fixed-point bounds must satisfy -2^51 <= min <= max <= 2^51: got {min} and {max}")]
    Bounds {
        /// Lower bound, in fixed-point units.
        min: i64,
        /// Upper bound, in fixed-point units.
        max: i64,
    },
    /// A noise scale outside the table's range.
    #[error("noise scale {numerator}/{denominator} is outside 1/8 to 2^40")]
    Scale {
        /// Numerator of the scale.
        numerator: u64,
        /// Denominator of the scale.
        denominator: u64,
    },
    /// A variance of Skellam noise outside its range.
    #[error("variance {numerator}/{denominator} of Skellam noise is outside 1/64 to 2^20")]
    Variance {
        /// Numerator of the variance.
        numerator: u64,
        /// Denominator of the variance.
        denominator: u64,
    },
    /// No probability.
    #[error("{numerator}/{denominator} is no probability: give a fraction from 0 to 1")]
    Probability {
        /// Numerator of the fraction.
        numerator: u64,
        /// Denominator of the fraction.
        denominator: u64,
    },
    /// A number of trials that cannot be centred, or is too large.
    #[error("binomial noise of {given} trials: give an even number from 2 to 16384")]
    Trials {
        /// What was asked.
        given: u32,
    },
    /// The GPU failed in the middle of a batch. The slices are as they were, except that `share` functions, which
    /// are several batches, may have done a part. What was taken from a stream stays taken.
    #[error("the GPU failed: {problem}; run again with the CPU")]
    Gpu {
        /// What the driver said.
        problem: String,
    },
}

/// Refuses slices of two lengths.
pub(crate) fn same_length(operation: &'static str, left: usize, right: usize) -> Result<(), KernelError> {
    if left == right { Ok(()) } else { Err(KernelError::Length { operation, left, right }) }
}

/// Refuses a slice that is not of the size that its shape asks for.
pub(crate) fn sized(
    operation: &'static str,
    slice: &'static str,
    given: usize,
    needed: usize,
) -> Result<(), KernelError> {
    if given == needed { Ok(()) } else { Err(KernelError::Size { operation, slice, given, needed }) }
}
