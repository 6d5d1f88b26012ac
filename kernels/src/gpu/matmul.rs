//! Matrix products and transposes on the GPU: block by block, each filled up to whole tiles.

use super::Gpu;
use super::ops::VECTOR;
use super::panel::{Gather, Panel, Step, Work, blocks};
use super::params::Params;
use crate::KernelError;
use crate::cpu::Lane;
use crate::cpu::matmul::Entry;
use crate::matmul::Shape;
use std::ops::Range;

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
/// Parts of the usual size that sums fill at most: so many that their factors come to the GPU faster than it multiplies.
const PARTS: usize = 16;
/// Products of elements in one dispatch, at most: a slow GPU is done in time.
const PRODUCTS: usize = 1 << 31;
/// Workgroups that keep a large GPU busy. Where there are fewer tiles, several share the inner dimension: so many at most, which each have
/// so many steps of it at least.
const WORKGROUPS: usize = 1024;
const SHARES: usize = 64;
const STEPS: usize = 16;

/// A kernel for an element type.
fn of<T: Entry>(u32: &'static str, u64: &'static str, m61: &'static str) -> &'static str {
    match T::NAME {
        "u32" => u32,
        "u64" => u64,
        _ => m61,
    }
}

/// The largest multiple of `unit` that is at most `len`, but one unit at least.
fn whole(len: usize, unit: usize) -> usize {
    (len / unit).max(1) * unit
}

impl Gpu {
    /// `acc += a b`; no size is 0. The sums of a block stay on the GPU until they are whole.
    pub(crate) fn multiply_add<T: Entry>(
        &self,
        shape: Shape,
        a: &[T],
        b: &[T],
        acc: &mut [T],
    ) -> Result<(), KernelError> {
        let kernel = of::<T>("matmul_u32", "matmul_u64", "matmul_m61");
        let size = size_of::<T::Raw>();
        let (tile, step) = (WIDE * VECTOR / size, STEP * VECTOR / size);
        let (a, b) = (bytemuck::cast_slice(T::raw(a)), bytemuck::cast_slice(T::raw(b)));
        let acc = bytemuck::cast_slice_mut(T::raw_mut(acc));
        let [tall, wide, deep] = self.sides(shape, size);
        let gather = of::<T>("matmul_gather_u32", "matmul_gather_u64", "matmul_gather_m61");
        for rows in blocks(shape.rows, tall) {
            for columns in blocks(shape.columns, wide) {
                let target = Panel::new(size, shape.columns, rows.clone(), columns.clone(), [TALL, tile]);
                let sums = target.bytes() / VECTOR;
                // Of the first dispatch; the last one may be shorter.
                let whole = shape.inner.min(deep).div_ceil(step);
                let most = (whole / STEPS).min(SHARES).min(self.binding() / target.bytes()).max(1);
                let shares = WORKGROUPS.div_ceil(sums / (TALL * WIDE)).min(most);
                let share = STEP * whole.div_ceil(shares);
                let steps = blocks(shape.inner, deep).map(|inner| {
                    let left = Panel::new(size, shape.inner, rows.clone(), inner.clone(), [TALL, step]);
                    let right = Panel::new(size, shape.columns, inner, columns.clone(), [step, tile]);
                    let [deep, across, first] =
                        [left.stride, right.stride, left.bytes()].map(|bytes| bytes / VECTOR);
                    Step {
                        params: Params::matrices(deep, across, first).shares(share, sums),
                        sources: vec![(a, left), (b, right)],
                    }
                });
                let gather = (shares > 1).then_some(Gather { kernel: gather, shares });
                let work = [Work { target, before: Some(&*acc), unit: UNIT, steps: steps.collect(), gather }];
                for (results, sums) in self.panels(kernel, &work)? {
                    sums.write(results, acc)?;
                }
            }
        }
        Ok(())
    }

    /// Rows and columns of a block of sums, whose elements have `size` bytes, and of how many products each is a sum in one dispatch.
    fn sides(&self, shape: Shape, size: usize) -> [usize; 3] {
        let (tile, step) = (WIDE * VECTOR / size, STEP * VECTOR / size);
        let most = (PARTS * self.shard()).min(self.binding() / 2) / size;
        let [rows, columns] = [shape.rows.next_multiple_of(TALL), shape.columns.next_multiple_of(tile)];
        // As near to a square as the product is.
        let tall = rows.min(whole(most / columns.min(whole(most.isqrt(), tile)), TALL));
        let wide = columns.min(whole(most / tall, tile));
        let deep = (2 * self.shard() / size / (tall + wide)).min(PRODUCTS / (tall * wide));
        [tall, wide, whole(deep, step)]
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
        let size = size_of::<T::Raw>();
        let vector = VECTOR / size;
        let (deep, across) = (inner.next_multiple_of(vector), columns.next_multiple_of(vector));
        let most = self.shard() / size / (rows * across).max(rows * deep + inner * across);
        if most == 0 {
            let factors = a.chunks(rows * inner).zip(b.chunks(inner * columns));
            return factors
                .zip(acc.chunks_mut(rows * columns))
                .try_for_each(|((a, b), acc)| self.multiply_add(shape, a, b, acc));
        }
        let kernel = of::<T>("matmul_each_u32", "matmul_each_u64", "matmul_each_m61");
        let (a, b) = (bytemuck::cast_slice(T::raw(a)), bytemuck::cast_slice(T::raw(b)));
        let count = acc.len() / (rows * columns);
        let acc = bytemuck::cast_slice_mut(T::raw_mut(acc));
        let panel = |products: &Range<usize>, rows: usize, columns: usize| {
            Panel::new(size, columns, products.start * rows..products.end * rows, 0..columns, [1, vector])
        };
        let work = blocks(count, most).map(|products| {
            let (left, right) = (panel(&products, rows, inner), panel(&products, inner, columns));
            let params = Params::matrices(inner, across / vector, left.bytes() / VECTOR);
            let step =
                Step { params: params.rows(rows, deep / vector), sources: vec![(a, left), (b, right)] };
            let target = panel(&products, rows, columns);
            Work { target, before: Some(&*acc), unit: VECTOR, steps: vec![step], gather: None }
        });
        let work: Vec<Work<'_>> = work.collect();
        for (results, sums) in self.panels(kernel, &work)? {
            sums.write(results, acc)?;
        }
        Ok(())
    }

    /// The transpose of a matrix of `rows` by `columns`, which are not 0, block by block.
    pub(crate) fn matrix_transpose<R: Lane>(
        &self,
        rows: usize,
        columns: usize,
        from: &[R],
        to: &mut [R],
    ) -> Result<(), KernelError> {
        let size = size_of::<R>();
        let kernel = if size == 4 { "matmul_transpose_u32" } else { "matmul_transpose_u64" };
        let side = whole((self.shard() / size).isqrt(), TURN);
        let from = bytemuck::cast_slice(from);
        let across = |tall: Range<usize>| blocks(columns, side).map(move |wide| (tall.clone(), wide));
        let work = blocks(rows, side).flat_map(across).map(|(tall, wide)| {
            let given = Panel::new(size, columns, tall.clone(), wide.clone(), [TURN; 2]);
            let target = Panel::new(size, rows, wide, tall, [TURN; 2]);
            let params = Params::matrices(given.stride / size, target.stride / size, 0);
            let steps = vec![Step { params, sources: vec![(from, given)] }];
            Work { target, before: None, unit: TURNED * size, steps, gather: None }
        });
        for (results, turned) in self.panels(kernel, &work.collect::<Vec<_>>())? {
            turned.write(results, bytemuck::cast_slice_mut(to))?;
        }
        Ok(())
    }
}
