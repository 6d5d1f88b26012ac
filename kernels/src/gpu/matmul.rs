//! Matrix products on the GPU: block by block, each filled up to whole tiles.

use super::Gpu;
use super::buffer::Job;
use super::ops::VECTOR;
use super::params::Params;
use crate::KernelError;
use crate::cpu::Lane;
use crate::cpu::matmul::Entry;
use crate::matmul::Shape;
use bytemuck::Zeroable;
use std::ops::Range;
use zeroize::{Zeroize, Zeroizing};

/// Rows of a tile.
const TALL: usize = 32;
/// Vectors of a row of a tile.
const WIDE: usize = 16;
/// Vectors of a row of the left matrix in one step.
const STEP: usize = 8;
/// Bytes of a tile that one invocation computes: 4 rows of 2 vectors.
const UNIT: usize = 8 * VECTOR;
/// Rows and columns of a tile that is transposed.
const TURN: usize = 32;
/// Elements of it that one invocation moves.
const TURNED: usize = 4;
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

/// A kernel for an element type.
fn of<T: Entry>(u32: &'static str, u64: &'static str, m61: &'static str) -> &'static str {
    match T::NAME {
        "u32" => u32,
        "u64" => u64,
        _ => m61,
    }
}

impl Gpu {
    /// `acc += a b`; no size is 0.
    pub(crate) fn multiply_add<T: Entry>(
        &self,
        shape: Shape,
        a: &[T],
        b: &[T],
        acc: &mut [T],
    ) -> Result<(), KernelError> {
        let (a, b, acc) = (T::raw(a), T::raw(b), T::raw_mut(acc));
        let [most, least] = SIDES;
        let side = ((self.shard() / size_of::<T::Raw>()).isqrt() / least * least).clamp(least, most);
        for rows in blocks(shape.rows, side) {
            for columns in blocks(shape.columns, side) {
                let block = Block { rows: rows.clone(), columns: columns.clone(), width: shape.columns };
                let across = columns.len().next_multiple_of(WIDE * VECTOR / size_of::<T::Raw>());
                let mut sums =
                    Zeroizing::new(vec![T::Raw::zeroed(); rows.len().next_multiple_of(TALL) * across]);
                for (from, to) in block.rows(across) {
                    sums[to].copy_from_slice(&acc[from]);
                }
                for inner in blocks(shape.inner, side) {
                    let left = Block { rows: rows.clone(), columns: inner.clone(), width: shape.inner };
                    let right = Block { rows: inner, columns: columns.clone(), width: shape.columns };
                    self.block::<T>(a, &left, b, &right, &mut sums, across)?;
                }
                for (to, from) in block.rows(across) {
                    acc[to].copy_from_slice(&sums[from]);
                }
            }
        }
        Ok(())
    }

    /// Adds the product of two blocks to sums that are filled up already.
    fn block<T: Entry>(
        &self,
        a: &[T::Raw],
        left: &Block,
        b: &[T::Raw],
        right: &Block,
        sums: &mut [T::Raw],
        across: usize,
    ) -> Result<(), KernelError> {
        let vector = VECTOR / size_of::<T::Raw>();
        let deep = left.columns.len().next_multiple_of(STEP * vector);
        let tall = sums.len() / across;
        let mut factors = Zeroizing::new(vec![T::Raw::zeroed(); (tall + across) * deep]);
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
            whole: Some(2),
            ..Job::new(of::<T>("matmul_u32", "matmul_u64", "matmul_m61"), params, size_of_val(sums), UNIT)
        };
        self.change(job, bytemuck::cast_slice_mut(sums))
    }

    /// Several products one after the other; no size is 0. As many at a time as are a part of the usual size.
    pub(crate) fn multiply_add_batch<T: Entry>(
        &self,
        shape: Shape,
        a: &[T],
        b: &[T],
        acc: &mut [T],
    ) -> Result<(), KernelError> {
        let Shape { rows, inner, columns } = shape;
        let vector = VECTOR / size_of::<T::Raw>();
        let (deep, across) = (inner.next_multiple_of(vector), columns.next_multiple_of(vector));
        let most = self.shard() / size_of::<T::Raw>() / (rows * across).max(rows * deep + inner * across);
        if most == 0 {
            let factors = a.chunks(rows * inner).zip(b.chunks(inner * columns));
            return factors
                .zip(acc.chunks_mut(rows * columns))
                .try_for_each(|((a, b), acc)| self.multiply_add(shape, a, b, acc));
        }
        let factors = a.chunks(most * rows * inner).zip(b.chunks(most * inner * columns));
        for ((a, b), acc) in factors.zip(acc.chunks_mut(most * rows * columns)) {
            let (a, b, acc) = (T::raw(a), T::raw(b), T::raw_mut(acc));
            let (left, right) = (filled(a, inner, deep), filled(b, columns, across));
            let factors = Zeroizing::new([left.as_slice(), right.as_slice()].concat());
            let mut sums = filled(acc, columns, across);
            let params =
                Params::matrices(inner, across / vector, left.len() / vector).rows(rows, deep / vector);
            let kernel = of::<T>("matmul_each_u32", "matmul_each_u64", "matmul_each_m61");
            let job = Job {
                together: size_of_val(sums.as_slice()),
                source: Some(bytemuck::cast_slice(&factors)),
                whole: Some(2),
                ..Job::new(kernel, params, size_of_val(sums.as_slice()), VECTOR)
            };
            self.change(job, bytemuck::cast_slice_mut(&mut sums))?;
            for (acc, sums) in acc.chunks_mut(columns).zip(sums.chunks(across)) {
                acc.copy_from_slice(&sums[..columns]);
            }
        }
        Ok(())
    }

    /// The transpose of a matrix of `rows` by `columns`, which are not 0, block by block.
    pub(crate) fn matrix_transpose<R: Lane + Zeroize>(
        &self,
        rows: usize,
        columns: usize,
        from: &[R],
        to: &mut [R],
    ) -> Result<(), KernelError> {
        let [most, least] = SIDES;
        let side = ((self.shard() / size_of::<R>()).isqrt() / least * least).clamp(least, most);
        let kernel = if size_of::<R>() == 4 { "matmul_transpose_u32" } else { "matmul_transpose_u64" };
        for tall in blocks(rows, side) {
            for wide in blocks(columns, side) {
                let block = Block { rows: tall.clone(), columns: wide.clone(), width: columns };
                let turned = Block { rows: wide, columns: tall.clone(), width: rows };
                let (height, width) =
                    (block.rows.len().next_multiple_of(TURN), block.columns.len().next_multiple_of(TURN));
                let mut source = Zeroizing::new(vec![R::zeroed(); height * width]);
                for (given, place) in block.rows(width) {
                    source[place].copy_from_slice(&from[given]);
                }
                let mut target = Zeroizing::new(vec![R::zeroed(); height * width]);
                let params = Params::matrices(width, height, 0);
                let len = size_of_val(source.as_slice());
                let job = Job {
                    together: len,
                    source: Some(bytemuck::cast_slice(&source)),
                    ..Job::new(kernel, params, len, TURNED * size_of::<R>())
                };
                self.fill(job, bytemuck::cast_slice_mut(&mut target))?;
                for (place, given) in turned.rows(height) {
                    to[place].copy_from_slice(&target[given]);
                }
            }
        }
        Ok(())
    }
}

/// The rows of `width` elements, each filled up with zeros to `across`.
fn filled<R: Lane + Zeroize>(rows: &[R], width: usize, across: usize) -> Zeroizing<Vec<R>> {
    let mut filled = Zeroizing::new(vec![R::zeroed(); rows.len() / width * across]);
    for (filled, row) in filled.chunks_mut(across).zip(rows.chunks(width)) {
        filled[..width].copy_from_slice(row);
    }
    filled
}
