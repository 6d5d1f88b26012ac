//! Wrong shares: found where there are more shares than are needed, and corrected.

use super::welch::decode;
use super::{combine, point, same_sizes};
use crate::cpu::shamir::{Weight, parts};
use crate::cpu::{Kernel, Lanes64, power::Inverse};
use crate::{Device, Field, KernelError};
use std::marker::PhantomData;
use zeroize::Zeroizing;

/// Elements that are looked at together: all rows of so many stay in the caches.
const BATCH: usize = 1 << 14;

/// Finds wrong shares among those of some parties, and corrects up to [`Decoder::most`] of them in each element. Made
/// once, used for any number of vectors.
///
/// Which shares are wrong is no secret: the time depends on it. (It depends on right shares only where an element of
/// an elimination is 0 by chance: a probability of about `m^2` in 2^61, for an element with a wrong share.)
#[derive(Debug, Clone)]
pub struct Decoder<F> {
    needed: usize,
    parties: Vec<u32>,
    /// What the secret is of the first `needed` shares, then what each other share is: one row each.
    rows: Vec<Weight>,
    field: PhantomData<F>,
}

impl<F: Field> Decoder<F> {
    /// For at least `needed` parties that differ.
    pub(super) fn new(needed: usize, parties: &[u32]) -> Result<Decoder<F>, KernelError> {
        let targets: Vec<F> =
            std::iter::once(0).chain(parties[needed..].iter().copied()).map(point).collect();
        let points: Vec<F> = parties[..needed].iter().map(|party| point(*party)).collect();
        let rows = rows(&points, &targets);
        Ok(Decoder { needed, parties: parties.to_vec(), rows, field: PhantomData })
    }

    /// Most wrong shares of an element that are corrected: half of those that are not needed.
    pub fn most(&self) -> usize {
        (self.parties.len() - self.needed) / 2
    }

    /// The elements, by index, whose shares lie on no polynomial of the right degree: at least one of them is wrong.
    /// All sets of up to `m - threshold - 1` wrong shares of an element are found, and none of them if there are only
    /// `m = threshold + 1` shares.
    ///
    /// # Errors
    /// [`KernelError::Size`] for another number of shares than the decoder's parties, or for one whose length is not
    /// that of the first; or a GPU that fails.
    pub fn misfits(&self, device: &Device, shares: &[&[F]]) -> Result<Vec<usize>, KernelError> {
        let len = shares.first().map_or(0, |share| share.len());
        same_sizes("shamir::misfits", shares, self.parties.len(), len)?;
        let (base, others) = shares.split_at(self.needed);
        let mut found = Vec::new();
        if others.is_empty() {
            return Ok(found);
        }
        let mut due = Zeroizing::new(vec![F::ZERO; others.len() * BATCH.min(len)]);
        for start in (0..len).step_by(BATCH) {
            let kept = BATCH.min(len - start);
            let base: Vec<&[F]> = base.iter().map(|share| &share[start..start + kept]).collect();
            let due = &mut due[..others.len() * kept];
            combine(device, &self.rows[self.needed..], &base, due)?;
            let mut differs = vec![false; kept];
            for (due, other) in due.chunks_exact(kept).zip(others) {
                let pairs = due.iter().zip(&other[start..start + kept]);
                differs.iter_mut().zip(pairs).for_each(|(differs, (due, got))| *differs |= due != got);
            }
            found.extend((0..kept).filter(|i| differs[*i]).map(|i| start + i));
        }
        Ok(found)
    }

    /// Writes the secret and gives the parties, in ascending order, whose shares were wrong in some element: by Berlekamp
    /// and Welch's algorithm (1986), element by element, so that other parties may lie in each. Shares that were found wrong
    /// in one element are tried out of the others first, so the usual case, a few parties that lie throughout,
    /// costs little more than looking for misfits.
    ///
    /// If more than [`Decoder::most`] shares of an element are wrong, that is an error in general; but as with every
    /// unique decoding, shares that were made wrong on purpose can look like right shares of another secret.
    ///
    /// # Errors
    /// As [`Decoder::misfits`], and for `out`; [`KernelError::TooManyWrong`] with the first element that cannot be
    /// corrected. Then nothing was written.
    pub fn correct(&self, device: &Device, shares: &[&[F]], out: &mut [F]) -> Result<Vec<u32>, KernelError> {
        same_sizes("shamir::correct", shares, self.parties.len(), out.len())?;
        let mut pending = self.misfits(device, shares)?;
        let mut corrected: Vec<(usize, Zeroizing<F>)> = Vec::with_capacity(pending.len());
        let mut liars = Vec::new();
        while let Some(&element) = pending.first() {
            let values: Zeroizing<Vec<u64>> =
                Zeroizing::new(shares.iter().map(|share| share[element].get()).collect());
            let wrong = decode::<F>(&self.parties, &values, self.needed, self.most())
                .ok_or(KernelError::TooManyWrong { element, most: self.most() })?;
            liars.extend(wrong.iter().map(|place| self.parties[*place]));
            // Without these shares, all elements of which no others are wrong fit.
            let kept: Vec<usize> = (0..self.parties.len()).filter(|place| !wrong.contains(place)).collect();
            let others: Vec<u32> = kept.iter().map(|place| self.parties[*place]).collect();
            let gathered: Vec<Zeroizing<Vec<F>>> = kept
                .iter()
                .map(|place| Zeroizing::new(pending.iter().map(|i| shares[*place][*i]).collect()))
                .collect();
            let gathered: Vec<&[F]> = gathered.iter().map(|share| share.as_slice()).collect();
            let decoder = Decoder::<F>::new(self.needed, &others)?;
            let misfits = decoder.misfits(device, &gathered)?;
            let mut secrets = Zeroizing::new(vec![F::ZERO; pending.len()]);
            decoder.secrets(device, &gathered, &mut secrets)?;
            let mut left = Vec::with_capacity(misfits.len());
            for (place, (element, secret)) in pending.iter().zip(secrets.iter()).enumerate() {
                if misfits.get(left.len()) == Some(&place) {
                    left.push(*element);
                } else {
                    corrected.push((*element, Zeroizing::new(*secret)));
                }
            }
            pending = left;
        }
        self.secrets(device, shares, out)?;
        corrected.iter().for_each(|(element, secret)| out[*element] = **secret);
        liars.sort_unstable();
        liars.dedup();
        Ok(liars)
    }

    /// Of the first shares.
    fn secrets(&self, device: &Device, shares: &[&[F]], out: &mut [F]) -> Result<(), KernelError> {
        combine(device, &self.rows[..self.needed], &shares[..self.needed], out)
    }
}

/// Lagrange's weights of the points for each target, one row after the other; no target is a point. In barycentric form:
/// a weight is a factor of the target and one of the point, over their difference.
fn rows<F: Field>(points: &[F], targets: &[F]) -> Vec<Weight> {
    let scalar = pulp::Scalar;
    let mul = |a, b| scalar.multiply::<F>(a, b);
    let product = |of: F| {
        let others = points.iter().filter(|point| **point != of);
        others.fold(1, |product, point| mul(product, F::sub(scalar, of.get(), point.get())))
    };
    let mut below: Vec<u64> = points.iter().map(|point| product(*point)).collect();
    let invert = |values: &mut [u64]| {
        Inverse::<F> { values, modulus: F::MODULUS, field: PhantomData }.run(scalar);
    };
    invert(&mut below);
    let mut rows = Vec::with_capacity(points.len() * targets.len());
    for target in targets {
        let whole = product(*target);
        let mut row: Vec<u64> =
            points.iter().map(|point| F::sub(scalar, target.get(), point.get())).collect();
        invert(&mut row);
        rows.extend(row.iter().zip(&below).map(|(far, below)| parts(mul(whole, mul(*far, *below)))));
    }
    rows
}
