//! Replicated shares modulo 2^64 of three parties, of which any two can reconstruct and none alone learns anything
//! (Araki, Furukawa, Lindell, Nof and Ohara 2016).
//!
//! A vector is the sum of three parts; party `i` of 0, 1 and 2 holds part `i` and part `i + 1`, counted modulo 3.
//! Whoever shares a vector gives two streams to [`share::split`](crate::share::split): they stand for parts 0 and 1
//! (written by [`share::expand`](crate::share::expand)), and the correction is part 2. Sums, differences and public
//! multiples are local: [sums and products](crate::ring) of each part.

use crate::chain::{Action, Step};
use crate::error::{same_length, sized};
use crate::share::change;
use crate::{Device, KernelError, Stream};

/// What party `i` holds of a vector: two slices of one length.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// Part `i`.
    pub own: &'a [u64],
    /// Part `i + 1`.
    pub next: &'a [u64],
}

/// Writes this party's part `i` of the element-wise product of `x` and `y`. The three parties' results add up to the
/// product; each sends its own to party `i - 1`, which holds it as part `i + 1`.
///
/// `own` and `next` are streams of keys that party `i` shares with party `i - 1` and with party `i + 1`: what is added
/// here is taken off there, so the results add up to the product still, and each alone is uniform. Both must be at
/// the same positions in both holders. Consumes `ceil(len / 8)` blocks of each.
///
/// # Errors
/// [`KernelError::Size`] or [`KernelError::StreamExhausted`] (then nothing was written or consumed), or a GPU that
/// fails.
pub fn multiply(
    device: &Device,
    x: Pair<'_>,
    y: Pair<'_>,
    own: &mut Stream,
    next: &mut Stream,
    out: &mut [u64],
) -> Result<(), KernelError> {
    let sizes = [("x.own", x.own), ("x.next", x.next), ("y.own", y.own), ("y.next", y.next)];
    for (name, slice) in sizes {
        sized("replicated::multiply", name, slice.len(), out.len())?;
    }
    let blocks = size_of_val(out).div_ceil(64) as u64;
    own.check(blocks)?;
    next.check(blocks)?;
    let bytes = size_of_val(out);
    // x_i (y_i + y_(i+1)) + x_(i+1) y_i: two products.
    let steps = vec![
        Step::vector(Action::Take, y.own),
        Step::vector(Action::Add, y.next),
        Step::vector(Action::Mul, x.own),
        Step::vector(Action::Hold, x.next),
        Step::vector(Action::MulHeld, y.own),
        Step::stream(Action::Add, own.take_bytes(bytes)?),
        Step::stream(Action::Sub, next.take_bytes(bytes)?),
    ];
    change(device, steps, out)
}

/// Adds up the parts of party `i` (`first`) and party `i + 1` (`second`), which both hold part `i + 1`: where their
/// copies differ, one of the two lies, and nothing is opened.
///
/// # Errors
/// [`KernelError::Length`]; [`KernelError::Disagree`] with the first place where the copies differ; or a GPU that
/// fails.
pub fn reconstruct(
    device: &Device,
    first: Pair<'_>,
    second: Pair<'_>,
    out: &mut [u64],
) -> Result<(), KernelError> {
    for slice in [first.own, first.next, second.own, second.next] {
        same_length("replicated::reconstruct", out.len(), slice.len())?;
    }
    if let Some(index) = first.next.iter().zip(second.own).position(|(ours, theirs)| ours != theirs) {
        return Err(KernelError::Disagree { operation: "replicated::reconstruct", index });
    }
    let steps = vec![
        Step::vector(Action::Take, first.own),
        Step::vector(Action::Add, first.next),
        Step::vector(Action::Add, second.next),
    ];
    change(device, steps, out)
}
