//! Shamir's shares, as linear combinations of vectors.

use super::Gpu;
use super::buffer::Job;
use super::field::of;
use super::ops::VECTOR;
use super::params::Params;
use crate::field::uniform::{BLOCKS, GROUP};
use crate::field::words_mut;
use crate::stream::Span;
use crate::{Field, KernelError};
use zeroize::Zeroizing;

/// Elements of a vector.
const LANES: usize = VECTOR / size_of::<u64>();

impl Gpu {
    /// The shares of all parties, one after the other: binomial coefficients times the secret and what is drawn.
    pub(crate) fn shamir_split<F: Field>(
        &self,
        threshold: u32,
        span: &Span<'_>,
        secret: &[F],
        shares: &mut [F],
    ) -> Result<(), KernelError> {
        let (len, terms) = (secret.len(), threshold as usize + 1);
        let mut drawn = Zeroizing::new(vec![F::ZERO; threshold as usize * len]);
        let blocks = BLOCKS * len.div_ceil(GROUP) as u64;
        for (k, row) in (0..).zip(drawn.chunks_exact_mut(len)) {
            self.field_uniform(&Span { block: span.block.wrapping_add(k * blocks), ..*span }, row)?;
        }
        // The rows of Pascal's triangle, from that of 1 on.
        let mut weights = vec![0; shares.len() / len * terms];
        let mut row = vec![0; terms];
        row[0] = 1;
        for weights in weights.chunks_exact_mut(terms) {
            for k in (1..terms).rev() {
                row[k] = F::add(pulp::Scalar, row[k], row[k - 1]);
            }
            weights.copy_from_slice(&row);
        }
        let inputs: Vec<&[u64]> =
            [secret].into_iter().chain(drawn.chunks_exact(len)).map(crate::field::words).collect();
        self.field_combine::<F>(&weights, &inputs, words_mut(shares))
    }

    /// `out[r len + i]` = the sum over `j` of `weights[r m + j] inputs[j][i]`; there is something of all. In blocks of
    /// as many elements as fit with all inputs, and with all results, in a part of the usual size.
    pub(crate) fn field_combine<F: Field>(
        &self,
        weights: &[u64],
        inputs: &[&[u64]],
        out: &mut [u64],
    ) -> Result<(), KernelError> {
        let (terms, len) = (inputs.len(), inputs[0].len());
        let rows = weights.len() / terms;
        let most = self.shard() / size_of::<u64>() / terms.max(rows);
        let side = (most / LANES).max(1) * LANES;
        let mut results = Zeroizing::new(vec![0u64; out.len()]);
        for start in (0..len).step_by(side) {
            let kept = side.min(len - start);
            let across = kept.next_multiple_of(LANES);
            let mut source = Zeroizing::new(vec![0; LANES * weights.len() + terms * across]);
            let (packed_weights, packed) = source.split_at_mut(LANES * weights.len());
            for (packed, weight) in packed_weights.chunks_exact_mut(LANES).zip(weights) {
                packed.fill(*weight);
            }
            for (packed, input) in packed.chunks_exact_mut(across).zip(inputs) {
                packed[..kept].copy_from_slice(&input[start..start + kept]);
            }
            let mut block = Zeroizing::new(vec![0u64; rows * across]);
            let params = Params::combination(terms, across / LANES, weights.len());
            let job = Job {
                together: size_of_val(block.as_slice()),
                source: Some(bytemuck::cast_slice(&source)),
                whole: Some(2),
                ..Job::new(
                    of::<F>("shamir_combine_m61", "shamir_combine_field64"),
                    params,
                    size_of_val(block.as_slice()),
                    VECTOR,
                )
            };
            self.fill(job, bytemuck::cast_slice_mut(&mut block))?;
            for (results, block) in results.chunks_exact_mut(len).zip(block.chunks_exact(across)) {
                results[start..start + kept].copy_from_slice(&block[..kept]);
            }
        }
        out.copy_from_slice(&results);
        Ok(())
    }
}
