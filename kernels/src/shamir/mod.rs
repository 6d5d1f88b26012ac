//! Shamir's secret sharing of whole vectors (Shamir 1979) over [`M61`](crate::M61) or [`Field64`](crate::Field64).
//!
//! A secret is the value at 0 of a random polynomial of degree `threshold`, and party `i` of 1, 2, ... has the value at
//! `i`: any `threshold + 1` parties can reconstruct, and `threshold` of them learn nothing. Elements are shared
//! independently, each by a polynomial of its own. Shares of sums, and of products with public elements, are the
//! same of the shares ([`field`](crate::field)).
//! The crate's front page has an example.

mod decoder;
mod welch;

pub use decoder::Decoder;

use crate::cpu::Grid;
use crate::cpu::shamir::{Combine, Split, Weight, parts};
use crate::device::Backend;
use crate::error::sized;
use crate::field::uniform::{BLOCKS, GROUP};
use crate::field::{lagrange_weights, words, words_mut};
use crate::{Device, Field, KernelError, Stream};
use std::marker::PhantomData;

/// How many parties there are and how many of them learn nothing. Parties are numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheme<F> {
    parties: u32,
    threshold: u32,
    field: PhantomData<F>,
}

/// What a secret, or the share of a party that is lost, is of the shares of some parties: made once, used for
/// any number of vectors.
#[derive(Debug, Clone)]
pub struct Weights<F> {
    /// Shares that are given.
    given: usize,
    /// One for each of the first `threshold + 1`.
    weights: Vec<Weight>,
    field: PhantomData<F>,
}

impl<F: Field> Scheme<F> {
    /// `parties` parties, any `threshold` of which learn nothing and any `threshold + 1` of which can reconstruct.
    ///
    /// # Errors
    /// [`KernelError::Threshold`] unless `1 <= threshold < parties`.
    pub fn new(parties: u32, threshold: u32) -> Result<Scheme<F>, KernelError> {
        if threshold == 0 || threshold >= parties {
            return Err(KernelError::Threshold { parties, threshold });
        }
        Ok(Scheme { parties, threshold, field: PhantomData })
    }

    /// The number of parties.
    pub fn parties(&self) -> u32 {
        self.parties
    }

    /// The most parties that learn nothing together.
    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// Shares that are needed to reconstruct: one more than the threshold.
    pub fn needed(&self) -> usize {
        self.threshold as usize + 1
    }

    /// Writes the shares of all parties, one after the other: party `i` gets elements `(i - 1) len` to `i len - 1` of
    /// `shares`, where `len` is that of the secret. Consumes `2 threshold ceil(len / 8)` blocks.
    ///
    /// The polynomial is `secret + d_1 C(x, 1) + ... + d_threshold C(x, threshold)` with binomial coefficients
    /// `C(x, k)` (Newton's form). The `d_k` are uniform ([`field::uniform`](crate::field::uniform), one call for each
    /// `k` in turn), and so are then the coefficients of the powers of `x`, since these are the `d_k` times a
    /// triangular matrix without a zero on its diagonal: it is Shamir's scheme, and needs sums where that form needs
    /// products. What the threshold's number of parties see is within `threshold * len` times the bias of an element
    /// of uniform.
    ///
    /// # Errors
    /// [`KernelError::Size`] or [`KernelError::StreamExhausted`] (then nothing was written or consumed), or a GPU that
    /// fails.
    pub fn split(
        &self,
        device: &Device,
        secret: &[F],
        stream: &mut Stream,
        shares: &mut [F],
    ) -> Result<(), KernelError> {
        // A product that is no usize is no slice's length either.
        let needed = secret.len().saturating_mul(self.parties as usize);
        sized("shamir::split", "shares", shares.len(), needed)?;
        let blocks = BLOCKS * secret.len().div_ceil(GROUP) as u64;
        let all = blocks.saturating_mul(u64::from(self.threshold));
        stream.check(all)?;
        if secret.is_empty() {
            return Ok(());
        }
        match device.backend() {
            Backend::Cpu(arch) => arch.spread(Split::<F> {
                span: stream.take(all)?,
                blocks,
                secret: words(secret),
                threshold: self.threshold as usize,
                shares: Grid::new(words_mut(shares), self.parties as usize),
                field: PhantomData,
            }),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.shamir_split(self.threshold, &stream.take(all)?, secret, shares)?,
        }
        Ok(())
    }

    /// What the secret is of the shares of these parties, in this order. The first `threshold + 1` are used; see
    /// [`Scheme::decoder`] for what more of them are good for.
    ///
    /// # Errors
    /// [`KernelError::PartyIndex`], [`KernelError::SameParty`] or [`KernelError::TooFewShares`].
    pub fn secret_from(&self, parties: &[u32]) -> Result<Weights<F>, KernelError> {
        self.weights(parties, 0)
    }

    /// What the share of `lost` is of the shares of these parties, as in [`Scheme::secret_from`].
    ///
    /// # Errors
    /// As [`Scheme::secret_from`].
    pub fn share_from(&self, lost: u32, parties: &[u32]) -> Result<Weights<F>, KernelError> {
        self.valid(lost)?;
        self.weights(parties, lost)
    }

    /// Finds and corrects wrong shares among those of these parties, in this order.
    ///
    /// # Errors
    /// As [`Scheme::secret_from`].
    pub fn decoder(&self, parties: &[u32]) -> Result<Decoder<F>, KernelError> {
        self.all_valid(parties)?;
        Decoder::new(self.needed(), parties)
    }

    fn weights(&self, parties: &[u32], at: u32) -> Result<Weights<F>, KernelError> {
        self.all_valid(parties)?;
        let points: Vec<F> = parties[..self.needed()].iter().map(|party| point(*party)).collect();
        let weights = lagrange_weights(&points, point(at))?;
        Ok(Weights {
            given: parties.len(),
            weights: weights.iter().map(|weight| parts(weight.get())).collect(),
            field: PhantomData,
        })
    }

    fn valid(&self, party: u32) -> Result<(), KernelError> {
        if party == 0 || party > self.parties {
            return Err(KernelError::PartyIndex { party, parties: self.parties });
        }
        Ok(())
    }

    /// Refuses parties that do not exist, that are there twice, or that are too few.
    fn all_valid(&self, parties: &[u32]) -> Result<(), KernelError> {
        parties.iter().try_for_each(|party| self.valid(*party))?;
        let mut sorted = parties.to_vec();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(KernelError::SameParty { party: twice[0] });
        }
        let (given, needed) = (parties.len(), self.needed());
        if given < needed { Err(KernelError::TooFewShares { given, needed }) } else { Ok(()) }
    }
}

impl<F: Field> Weights<F> {
    /// Writes what is reconstructed from the shares of the parties that the weights were made for, in their order.
    /// Whether the shares are right is not checked: a wrong one gives a wrong result.
    ///
    /// # Errors
    /// [`KernelError::Size`] for another number of shares, or for one whose length is not that of `out`; or a GPU that
    /// fails. Then nothing was written.
    pub fn reconstruct(&self, device: &Device, shares: &[&[F]], out: &mut [F]) -> Result<(), KernelError> {
        same_sizes("shamir::reconstruct", shares, self.given, out.len())?;
        combine(device, &self.weights, &shares[..self.weights.len()], out)
    }
}

/// The element that a party's index is.
fn point<F: Field>(party: u32) -> F {
    F::new(u64::from(party)).expect("both primes are above 2^32")
}

/// Refuses another number of shares, and shares of another length.
fn same_sizes<F>(
    operation: &'static str,
    shares: &[&[F]],
    given: usize,
    len: usize,
) -> Result<(), KernelError> {
    sized(operation, "the list of shares", shares.len(), given)?;
    shares.iter().try_for_each(|share| sized(operation, "a share", share.len(), len))
}

/// `out[r len + i]` = the sum over `j` of `weights[r m + j] inputs[j][i]`, for `m` inputs of `len` elements.
fn combine<F: Field>(
    device: &Device,
    weights: &[Weight],
    inputs: &[&[F]],
    out: &mut [F],
) -> Result<(), KernelError> {
    if out.is_empty() {
        return Ok(());
    }
    let inputs: Vec<&[u64]> = inputs.iter().map(|input| words(input)).collect();
    match device.backend() {
        Backend::Cpu(arch) => {
            let out = Grid::new(words_mut(out), weights.len() / inputs.len());
            arch.spread(Combine::<F> { weights, inputs, out, field: PhantomData });
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => {
            let weights: Vec<u64> = weights.iter().map(|[a, b, c]| a | b << 22 | c << 44).collect();
            gpu.field_combine::<F>(&weights, &inputs, words_mut(out))?;
        }
    }
    Ok(())
}
