//! Matrix products on the GPU: block by block, each filled up to whole tiles.

use super::Gpu;
use super::buffer::Job;
use super::ops::{VECTOR, of};
use super::params::Params;
use crate::matmul::Shape;
use crate::{KernelError, Word};
use std::ops::Range;
use zeroize::Zeroizing;

/// Rows of a tile.
const TALL: usize = 32;
/// Vectors of a row of a tile.
const WIDE: usize = 16;
/// Vectors of a row of the left matrix in one step.
const STEP: usize = 8;
/// Bytes of a tile that one invocation computes: 4 rows of 2 vectors.
const UNIT: usize = 8 * VECTOR;
/// Rows and columns of a block, at most and at least: the sums of the largest are a part of the usual size.
const SIDES: [usize; 2] = [1024, 64];

/// A part of a matrix of `width` columns.
struct Block {
    rows: Range<usize>,
    columns: Range<usize>,
    width: usize,
}

impl Block {
    /// The part of each row, with the place of that row among `across` elements a row.
    fn rows(&self, across: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let kept = self.columns.len();
        let start = self.columns.start;
        let width = self.width;
        self.rows.clone().enumerate().map(move |(i, row)| {
            let from = row * width + start;
            (from..from + kept, i * across..i * across + kept)
        })
    }
}

fn blocks(len: usize, side: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(side).map(move |start| start..len.min(start + side))
}

impl Gpu {
    /// `acc += a b`; no size is 0.
    pub(crate) fn multiply_add<T: Word>(
        &self,
        shape: Shape,
        a: &[T],
        b: &[T],
        acc: &mut [T],
    ) -> Result<(), KernelError> {
        let [most, least] = SIDES;
        let side = ((self.shard() / size_of::<T>()).isqrt() / least * least).clamp(least, most);
        for rows in blocks(shape.rows, side) {
            for columns in blocks(shape.columns, side) {
                let block = Block { rows: rows.clone(), columns: columns.clone(), width: shape.columns };
                let across = columns.len().next_multiple_of(WIDE * VECTOR / size_of::<T>());
                let mut sums = Zeroizing::new(vec![T::ZERO; rows.len().next_multiple_of(TALL) * across]);
                for (from, to) in block.rows(across) {
                    sums[to].copy_from_slice(&acc[from]);
                }
                for inner in blocks(shape.inner, side) {
                    let left = Block { rows: rows.clone(), columns: inner.clone(), width: shape.inner };
                    let right = Block { rows: inner, columns: columns.clone(), width: shape.columns };
                    self.block(a, &left, b, &right, &mut sums, across)?;
                }
                for (to, from) in block.rows(across) {
                    acc[to].copy_from_slice(&sums[from]);
                }
            }
        }
        Ok(())
    }

    /// Adds the product of two blocks to sums that are filled up already.
    fn block<T: Word>(
        &self,
        a: &[T],
        left: &Block,
        b: &[T],
        right: &Block,
        sums: &mut [T],
        across: usize,
    ) -> Result<(), KernelError> {
        let vector = VECTOR / size_of::<T>();
        let deep = left.columns.len().next_multiple_of(STEP * vector);
        let tall = sums.len() / across;
        let mut factors = Zeroizing::new(vec![T::ZERO; (tall + across) * deep]);
        let (packed_left, packed_right) = factors.split_at_mut(tall * deep);
        for (from, to) in left.rows(deep) {
            packed_left[to].copy_from_slice(&a[from]);
        }
        for (from, to) in right.rows(across) {
            packed_right[to].copy_from_slice(&b[from]);
        }
        let params = Params::matrices(deep / vector, across / vector, tall * deep / vector);
        let job = Job {
            together: size_of_val(sums),
            source: Some(bytemuck::cast_slice(&factors)),
            beside: true,
            ..Job::new(of::<T>("matmul_u32", "matmul_u64"), params, size_of_val(sums), UNIT)
        };
        self.change(job, bytemuck::cast_slice_mut(sums))
    }
}
