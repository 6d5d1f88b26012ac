//! Addition of shared integers in bit planes.

use super::{AndInputs, xor};
use crate::error::{same_length, sized};
use crate::{Device, KernelError};
use std::ops::Range;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// One party's side of the sum of two integers, modulo `2^width`, of which it holds XOR shares in bit planes: the
/// parallel prefix adder of Kogge and Stone (1973), whose rounds are the protocol's secure ANDs and whose other steps
/// are local.
///
/// The protocol computes the secure AND of `a` and `b`, all `width` planes, and gives the result to [`Adder::new`].
/// Then, while [`Adder::inputs`] gives some, it computes the secure AND of those and gives the result to
/// [`Adder::apply`]: `ceil(log2(width))` rounds. Then [`Adder::sum`] is the party's share of the sum.
///
/// Bit `j` of the sum is `a ^ b ^ c`, where `c` is the carry out of bit `j - 1`. Of each stretch of `d` bits that
/// ends in bit `j`, `generate` says whether it makes a carry and `propagate` whether it passes one on; both are never
/// true together, so that an XOR joins them where textbooks have an OR. A round makes stretches twice as long:
/// `generate[j] ^= propagate[j] & generate[j - d]` for `j >= d`, and `propagate[j] &= propagate[j - d]` for
/// `j >= 2 d`: below, no carry comes in. The inputs of its AND are these planes in that order, all of the first
/// formula before those of the second; `left` is `propagate[j]` in both.
///
/// Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Adder {
    /// Words of a plane, planes, and the length of stretches.
    plane: usize,
    width: usize,
    distance: usize,
    half_sum: Vec<u64>,
    generate: Vec<u64>,
    propagate: Vec<u64>,
}

impl Adder {
    /// Begins with the shares of `a`, `b` and `a & b`: some planes of `plane` words, the lowest bit first.
    ///
    /// # Errors
    /// [`KernelError::Length`]; [`KernelError::Size`] where the length is no multiple of `plane`; or a GPU that fails.
    pub fn new(
        device: &Device,
        a: &[u64],
        b: &[u64],
        products: &[u64],
        plane: usize,
    ) -> Result<Adder, KernelError> {
        same_length("bits::Adder", a.len(), b.len())?;
        same_length("bits::Adder", a.len(), products.len())?;
        let width = a.len() / plane.max(1);
        sized("bits::Adder", "each operand", a.len(), width * plane)?;
        let mut half_sum = a.to_vec();
        xor(device, &mut half_sum, b)?;
        Ok(Adder {
            plane,
            width,
            distance: 1,
            propagate: half_sum.clone(),
            generate: products.to_vec(),
            half_sum,
        })
    }

    /// What goes into the next secure AND; `None` after the last one.
    pub fn inputs(&self) -> Option<AndInputs> {
        let (d, end) = (self.distance, self.width);
        if d >= end {
            return None;
        }
        // Where the second formula begins, which has `passes` planes.
        let second = end.min(2 * d);
        let passes = end - second;
        let of = |planes: Range<usize>| planes.start * self.plane..planes.end * self.plane;
        let (generate, propagate) = (&self.generate, &self.propagate);
        let left = [&propagate[of(d..end)], &propagate[of(second..end)]].concat();
        let right = [&generate[of(0..end - d)], &propagate[of(d..d + passes)]].concat();
        Some(AndInputs { left, right })
    }

    /// Takes the result of the AND of [`Adder::inputs`].
    ///
    /// # Errors
    /// [`KernelError::Size`], after the last round too; or a GPU that fails.
    pub fn apply(&mut self, device: &Device, products: &[u64]) -> Result<(), KernelError> {
        let (d, end) = (self.distance, self.width);
        let (carries, passes) = (end.saturating_sub(d) * self.plane, end.saturating_sub(2 * d) * self.plane);
        sized("bits::Adder", "the AND's result", products.len(), carries + passes)?;
        if carries > 0 {
            xor(device, &mut self.generate[d * self.plane..], &products[..carries])?;
            let kept = self.propagate.len() - passes;
            self.propagate[kept..].copy_from_slice(&products[carries..]);
            self.distance *= 2;
        }
        Ok(())
    }

    /// The share of the sum: as many planes as the operands have.
    ///
    /// # Errors
    /// A GPU that fails.
    ///
    /// # Panics
    /// Before the last round: the planes would not be those of the sum.
    pub fn sum(mut self, device: &Device) -> Result<Vec<u64>, KernelError> {
        assert!(self.distance >= self.width, "Adder::sum before the last secure AND");
        let mut sum = std::mem::take(&mut self.half_sum);
        if let Some(carried) = sum.get_mut(self.plane..) {
            xor(device, carried, &self.generate[..carried.len()])?;
        }
        Ok(sum)
    }
}
