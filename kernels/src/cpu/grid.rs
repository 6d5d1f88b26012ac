//! Rows of words that lie one after the other, of which threads write different columns.

#![allow(unsafe_code)] // Columns of such rows cannot be lent apart otherwise: see `Grid`.

use std::marker::PhantomData;

/// Some columns of a matrix: the same places of each of its rows.
///
/// `first` is place `first` of row 0 of a matrix that is borrowed for `'a` whole, of `rows` rows of `stride` words, and
/// `columns` places from there on are in that row. So they are in each row, and no other grid has them: [`Grid::cut`]
/// gives away what it gives.
pub(crate) struct Grid<'a> {
    first: *mut u64,
    rows: usize,
    columns: usize,
    stride: usize,
    matrix: PhantomData<&'a mut [u64]>,
}

// SAFETY: a grid is a set of `&mut [u64]`, one for each row, that nothing else reaches.
unsafe impl Send for Grid<'_> {}

impl<'a> Grid<'a> {
    /// All columns of a matrix of so many rows, at least one.
    #[inline(always)]
    pub(crate) fn new(words: &'a mut [u64], rows: usize) -> Self {
        let columns = words.len() / rows;
        let first = words.as_mut_ptr();
        Grid { first, rows, columns, stride: columns, matrix: PhantomData }
    }

    /// Rows.
    #[inline(always)]
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    #[inline(always)]
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Words from one row to the next.
    #[inline(always)]
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// The columns of a row.
    #[inline(always)]
    pub(crate) fn row(&mut self, row: usize) -> &mut [u64] {
        // No figures in it: to print them is to keep the grid in memory, where each write may change it.
        assert!(row < self.rows);
        // SAFETY: the row is one of the matrix, so its places that are ours are within it, and initialised; and `self` is
        // borrowed for as long as they are.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(row * self.stride), self.columns) }
    }

    /// Some of the columns, for a while.
    #[inline(always)]
    pub(crate) fn some(&mut self, from: usize, columns: usize) -> Grid<'_> {
        assert!(from <= self.columns && columns <= self.columns - from);
        // SAFETY: still within row 0, or at its end.
        let first = unsafe { self.first.add(from) };
        Grid { first, columns, rows: self.rows, stride: self.stride, matrix: PhantomData }
    }

    /// The first `at` columns, and the others.
    pub(crate) fn cut(self, at: usize) -> (Self, Self) {
        assert!(at <= self.columns);
        // SAFETY: still within row 0, or at its end.
        let first = unsafe { self.first.add(at) };
        (Grid { columns: at, ..self }, Grid { first, columns: self.columns - at, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_written_by_their_owner() {
        let mut words = vec![0; 21];
        let (mut left, rest) = Grid::new(&mut words, 3).cut(2);
        let (mut middle, mut right) = rest.cut(4);
        assert_eq!([left.columns(), middle.columns(), right.columns(), right.stride()], [2, 4, 1, 7]);
        std::thread::scope(|scope| {
            scope.spawn(|| (0..3).for_each(|row| left.row(row).fill(1)));
            scope.spawn(|| (0..3).for_each(|row| middle.row(row).fill(2)));
            (0..3).for_each(|row| right.row(row).fill(3));
        });
        assert!(words.chunks(7).all(|row| row == [1, 1, 2, 2, 2, 2, 3]));
    }

    #[test]
    #[should_panic(expected = "row < self.rows")]
    fn a_row_too_far_is_refused() {
        Grid::new(&mut [0; 6], 3).row(3);
    }
}
