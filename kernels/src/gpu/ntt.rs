//! The number-theoretic transform of `Field64` on the GPU: all passes over a part between one upload and one download.

use super::Gpu;
use super::buffer::Job;
use super::params::Params;
use crate::field::ntt::{power, powers};
use crate::field::{elements, words, words_mut};
use crate::{Field64, KernelError};
use zeroize::Zeroizing;

/// Bytes of a tile, which a workgroup transforms, and the binary logarithm of its elements.
const TILE: usize = size_of::<Field64>() << LEVELS;
const LEVELS: u32 = 10;
/// Invocations of a workgroup.
const LANES: u32 = 256;
/// The most levels of one of several passes: as many columns as then fit into a tile are a cache line.
const MOST: u32 = 7;

/// Levels of a pass; the last one has those that are left.
fn levels(log: u32) -> u32 {
    if log <= LEVELS { log } else { log.div_ceil(log.div_ceil(MOST)) }
}

impl Gpu {
    /// Transforms of `2^log` elements, as many as there are, with a root of that order.
    pub(crate) fn ntt(
        &self,
        log: u32,
        root: u64,
        scale: u64,
        values: &mut [Field64],
    ) -> Result<(), KernelError> {
        if size_of::<Field64>() << log > self.shard() {
            return values
                .chunks_exact_mut(1 << log)
                .try_for_each(|values| self.split(log, root, scale, values));
        }
        // One element is its own transform.
        if values.is_empty() || log == 0 {
            return Ok(());
        }
        self.passes(log, levels(log), root, scale, values)
    }

    /// The same in passes of `most` levels, from 1 to [`LEVELS`].
    pub(super) fn passes(
        &self,
        log: u32,
        most: u32,
        root: u64,
        scale: u64,
        values: &mut [Field64],
    ) -> Result<(), KernelError> {
        let row = 1 << (log - most);
        let roots: Vec<u64> =
            powers(root).take(row).chain(powers(power(root, row as u64)).take(1 << most)).collect();
        let job = Job {
            source: Some(bytemuck::cast_slice(words(values))),
            second: Some(bytemuck::cast_slice(&roots)),
            whole: Some(3),
            passes: log.div_ceil(most),
            together: TILE.max(size_of::<Field64>() << log),
            lanes: LANES,
            ..Job::new("ntt_pass", Params::transform(log, most, scale), size_of_val(values), TILE)
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
