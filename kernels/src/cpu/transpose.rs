//! Transposes of matrices.

use super::{IntSimd, Kernel};

/// Rows and columns of a block: of 16 rows a line of the first-level cache each, read and written.
const SIDE: usize = 16;

/// See [`crate::matmul::transpose`].
pub(crate) struct Transpose<'a, T> {
    pub(crate) columns: usize,
    pub(crate) from: &'a [T],
    pub(crate) to: &'a mut [T],
}

impl<T: Copy> Kernel for Transpose<'_, T> {
    type Output = ();

    /// Loads and stores alone: no level has anything to gain but `turn_u64s` within a line.
    #[inline(always)]
    fn run<S: IntSimd>(self, _: S) {
        let Transpose { columns, from, to } = self;
        let rows = from.len() / columns;
        for top in (0..rows).step_by(SIDE) {
            let bottom = rows.min(top + SIDE);
            for left in (0..columns).step_by(SIDE) {
                for column in left..columns.min(left + SIDE) {
                    let to = &mut to[column * rows..][top..bottom];
                    for (to, row) in to.iter_mut().zip(top..) {
                        *to = from[row * columns + column];
                    }
                }
            }
        }
    }
}
