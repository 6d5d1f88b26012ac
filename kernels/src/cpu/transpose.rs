//! Transposes of matrices.

use super::{IntSimd, Kernel};

/// Rows and columns of a block: of 16 rows a line of the first-level cache each, read and written.
pub(super) const SIDE: usize = 16;

/// See [`crate::matmul::transpose`].
pub(crate) struct Transpose<'a, T> {
    pub(crate) columns: usize,
    pub(crate) from: &'a [T],
    /// The first column of `from` that is wanted.
    pub(crate) first: usize,
    /// So many of its columns as there is room for.
    pub(crate) to: &'a mut [T],
}

impl<T> Transpose<'_, T> {
    /// Rows of `from`.
    pub(super) fn rows(&self) -> usize {
        self.from.len() / self.columns
    }
}

impl<T: Copy> Kernel for Transpose<'_, T> {
    type Output = ();

    /// Loads and stores alone: no level has anything to gain but `turn_u64s` within a line.
    #[inline(always)]
    fn run<S: IntSimd>(self, _: S) {
        let rows = self.rows();
        let Transpose { columns, from, first, to } = self;
        let wanted = to.len() / rows;
        for top in (0..rows).step_by(SIDE) {
            let bottom = rows.min(top + SIDE);
            for left in (0..wanted).step_by(SIDE) {
                for column in left..wanted.min(left + SIDE) {
                    let to = &mut to[column * rows..][top..bottom];
                    for (to, row) in to.iter_mut().zip(top..) {
                        *to = from[row * columns + first + column];
                    }
                }
            }
        }
    }
}
