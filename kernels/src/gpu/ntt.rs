//! The number-theoretic transform of `Field64` on the GPU: all passes over a part between one upload and one download.

use super::Gpu;
use super::buffer::Job;
use super::ops::VECTOR;
use super::params::Params;
use crate::field::ntt::{power, powers};
use crate::field::{elements, words, words_mut};
use crate::{Field64, KernelError};
use zeroize::Zeroizing;

/// Binary logarithm of the smallest transform that fills an invocation's two pairs.
pub(crate) const LEAST: u32 = 2;

impl Gpu {
    /// Transforms of `2^log` elements, at least 4 and as many as there are, with a root of that order.
    pub(crate) fn ntt(
        &self,
        log: u32,
        root: u64,
        scale: u64,
        values: &mut [Field64],
    ) -> Result<(), KernelError> {
        let bytes = size_of::<Field64>() << log;
        if bytes > self.shard() {
            return values
                .chunks_exact_mut(1 << log)
                .try_for_each(|values| self.split(log, root, scale, values));
        }
        if values.is_empty() {
            return Ok(());
        }
        let roots: Vec<u64> = powers(root).take(1 << (log - 1)).collect();
        let job = Job {
            source: Some(bytemuck::cast_slice(words(values))),
            second: Some(bytemuck::cast_slice(&roots)),
            passes: log,
            together: bytes,
            ..Job::new("ntt_pass", Params::transform(log, scale), size_of_val(values), 2 * VECTOR)
        };
        let results = self.run(&job)?;
        results.write_to(bytemuck::cast_slice_mut(words_mut(values)))
    }

    /// One transform that no binding holds: as a matrix, whose columns and rows are transforms of their own.
    fn split(&self, log: u32, root: u64, scale: u64, values: &mut [Field64]) -> Result<(), KernelError> {
        let (wide, tall) = (log / 2, log - log / 2);
        let (columns, rows) = (power(root, 1 << wide), power(root, 1 << tall));
        let mut turned = Zeroizing::new(vec![Field64::default(); values.len()]);
        turn(values, 1 << wide, &mut turned);
        self.ntt(tall, columns, 1, &mut turned)?;
        let factors: Vec<u64> =
            powers(root).take(1 << wide).flat_map(|base| powers(base).take(1 << tall)).collect();
        self.field_mul(&mut turned, elements(&factors)?)?;
        let mut across = Zeroizing::new(vec![Field64::default(); values.len()]);
        turn(&turned, 1 << tall, &mut across);
        self.ntt(wide, rows, scale, &mut across)?;
        turn(&across, 1 << wide, values);
        Ok(())
    }
}

/// Transposes a matrix of so many columns.
fn turn(matrix: &[Field64], columns: usize, out: &mut [Field64]) {
    let rows = matrix.len() / columns;
    for (column, out) in out.chunks_exact_mut(rows).enumerate() {
        for (row, out) in out.iter_mut().enumerate() {
            *out = matrix[row * columns + column];
        }
    }
}
