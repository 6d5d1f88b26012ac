//! Comparison of shared integers in bit planes.

use super::{AndInputs, xor};
use crate::error::{same_length, sized};
use crate::{Device, KernelError};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// One party's side of the carry out of the highest bit of `x + y`, integers of which it holds XOR shares in bit
/// planes. This is comparison: with `x` the inverse of `a` (one party inverts its share) and `y` = `b`, the carry says
/// whether `a < b`, unsigned. For signed integers invert the highest plane of both beforehand.
///
/// The protocol computes the secure AND of `x` and `y`, all planes, and gives the result to [`Carry::new`]. Then,
/// while [`Carry::inputs`] gives some, it computes the secure AND of those and gives the result to [`Carry::apply`]:
/// `ceil(log2(width))` rounds, and about `2 width` ANDs in all. Then [`Carry::plane`] is the party's share of one bit for
/// each pair.
///
/// Of each stretch of bits, `generate` and `propagate` are those of [`Adder`](super::Adder). A round joins neighbours,
/// from the top on: `generate = high.generate ^ (high.propagate & low.generate)` and
/// `propagate = high.propagate & low.propagate`. With an odd number the lowest stretch waits. The lowest stretch needs
/// no `propagate`, since no carry comes in. The inputs of the AND are the pairs of the first formula from the lowest
/// on, then those of the second; `left` is `high.propagate` in both.
///
/// Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Carry {
    /// Words of a plane, and stretches.
    plane: usize,
    stretches: usize,
    generate: Vec<u64>,
    propagate: Vec<u64>,
}

impl Carry {
    /// Begins with the shares of `x`, `y` and `x & y`: at least one plane of `plane` words, the lowest bit first.
    ///
    /// # Errors
    /// [`KernelError::Length`]; [`KernelError::Size`] where the length is no multiple of `plane`; or a GPU that fails.
    pub fn new(
        device: &Device,
        x: &[u64],
        y: &[u64],
        products: &[u64],
        plane: usize,
    ) -> Result<Carry, KernelError> {
        same_length("bits::Carry", x.len(), y.len())?;
        same_length("bits::Carry", x.len(), products.len())?;
        let stretches = x.len() / plane.max(1);
        sized("bits::Carry", "each operand", x.len(), stretches * plane)?;
        let mut propagate = x.to_vec();
        xor(device, &mut propagate, y)?;
        Ok(Carry { plane, stretches, propagate, generate: products.to_vec() })
    }

    /// The stretches that a round joins, as the first of each two; and how many of the first formula have no
    /// second one.
    fn pairs(&self) -> (std::iter::StepBy<std::ops::Range<usize>>, usize) {
        let odd = self.stretches % 2;
        ((odd..self.stretches).step_by(2), 1 - odd)
    }

    /// What goes into the next secure AND; `None` after the last one.
    pub fn inputs(&self) -> Option<AndInputs> {
        if self.stretches < 2 {
            return None;
        }
        // Never moved while they grow: a copy would stay behind.
        let room = self.stretches * self.plane;
        let (mut left, mut right) = (Vec::with_capacity(room), Vec::with_capacity(room));
        let (pairs, without) = self.pairs();
        let at = |stretch: usize| stretch * self.plane..(stretch + 1) * self.plane;
        for low in pairs.clone() {
            left.extend_from_slice(&self.propagate[at(low + 1)]);
            right.extend_from_slice(&self.generate[at(low)]);
        }
        for low in pairs.skip(without) {
            left.extend_from_slice(&self.propagate[at(low + 1)]);
            right.extend_from_slice(&self.propagate[at(low)]);
        }
        Some(AndInputs { left, right })
    }

    /// Takes the result of the AND of [`Carry::inputs`].
    ///
    /// # Errors
    /// [`KernelError::Size`], after the last round too; or a GPU that fails.
    pub fn apply(&mut self, device: &Device, products: &[u64]) -> Result<(), KernelError> {
        let (pairs, without) = self.pairs();
        let joined = if self.stretches < 2 { 0 } else { self.stretches / 2 };
        let passed = joined.saturating_sub(without);
        sized("bits::Carry", "the AND's result", products.len(), (joined + passed) * self.plane)?;
        if joined == 0 {
            return Ok(());
        }
        let (carries, passes) = products.split_at(joined * self.plane);
        let odd = self.stretches % 2;
        let mut highs = Vec::with_capacity(carries.len());
        for low in pairs {
            highs.extend_from_slice(&self.generate[(low + 1) * self.plane..(low + 2) * self.plane]);
        }
        let outcome = xor(device, &mut highs, carries);
        if outcome.is_ok() {
            self.generate[odd * self.plane..][..highs.len()].copy_from_slice(&highs);
            // The lowest stretch keeps a place, whose content nobody reads.
            self.propagate[self.plane..][..passes.len()].copy_from_slice(passes);
            self.stretches = joined + odd;
        }
        highs.zeroize();
        outcome
    }

    /// The share of the carry: one plane.
    ///
    /// # Panics
    /// Before the last round: the plane would not be the carry's.
    pub fn plane(mut self) -> Vec<u64> {
        assert!(self.stretches < 2, "Carry::plane before the last secure AND");
        let mut plane = std::mem::take(&mut self.generate);
        plane[self.plane * self.stretches..].zeroize();
        plane.truncate(self.plane * self.stretches);
        plane
    }
}
