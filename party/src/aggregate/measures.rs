//! What a row adds to its cell, summed over batches.

use super::Encoded;
use veilgrid_api::plan::Measure;

/// Tables that rows go to in turn, so that neighbouring rows of one group do not wait for each other's sum.
const LANES: usize = 4;

/// The sums of one measure: `groups * bins` cells, and one more group for rows that do not count.
pub(super) struct Sums {
    measure: Measure,
    /// Cells of one group.
    bins: usize,
    /// `LANES` tables of equal length.
    tables: Vec<u64>,
    /// The bin or the square of each row of a batch.
    row: Vec<u64>,
}

impl Sums {
    pub(super) fn new(measure: &Measure, groups: usize) -> Self {
        let bins = match measure {
            Measure::Bins { edges, .. } => edges.len().saturating_sub(1).max(1),
            _ => 1,
        };
        let measure = match *measure {
            Measure::CenteredSum { column, .. } => Measure::Sum { column },
            ref other => other.clone(),
        };
        Self { measure, bins, tables: vec![0; LANES * bins * (groups + 1)], row: Vec::new() }
    }

    /// Whether the cells are a component's, where a centred sum is asked as a plain one.
    pub(super) fn answers(&self, measure: &Measure) -> bool {
        match (&self.measure, measure) {
            (Measure::Sum { column }, Measure::CenteredSum { column: asked, .. }) => column == asked,
            (mine, asked) => mine == asked,
        }
    }

    /// Adds a batch whose rows are in these groups; all in the first where there are none.
    pub(super) fn add(&mut self, batch: &Encoded, groups: Option<&[u32]>) {
        match &self.measure {
            Measure::Rows => match groups {
                None => self.tables[0] = self.tables[0].wrapping_add(batch.len as u64),
                Some(groups) => scatter(&mut self.tables, groups.iter().map(|group| (*group as usize, 1))),
            },
            Measure::Sum { column } | Measure::CenteredSum { column, .. } => {
                let units = batch.units(*column);
                sum(&mut self.tables, groups, units.iter().map(|value| value.cast_unsigned()));
            }
            Measure::CenteredSquares { column, center, shift } => {
                squares(batch.units(*column), *center, *shift, &mut self.row);
                sum(&mut self.tables, groups, self.row.iter().copied());
            }
            Measure::Bins { column, edges } => {
                bins(batch.units(*column), edges, &mut self.row);
                let bins = self.row.iter().map(|bin| *bin as usize);
                match groups {
                    None => scatter(&mut self.tables, bins.map(|bin| (bin, 1))),
                    Some(groups) => {
                        let width = self.bins;
                        let cells = groups.iter().zip(bins);
                        scatter(
                            &mut self.tables,
                            cells.map(|(group, bin)| {
                                ((*group as usize).wrapping_mul(width).wrapping_add(bin), 1)
                            }),
                        );
                    }
                }
            }
        }
    }

    /// The sums so far; the cells that nobody reads come last.
    pub(super) fn cells(&self) -> Vec<u64> {
        let width = self.tables.len() / LANES;
        (0..width)
            .map(|cell| {
                self.tables[cell..].iter().step_by(width).fold(0u64, |sum, part| sum.wrapping_add(*part))
            })
            .collect()
    }
}

/// Adds values to their groups' cells.
fn sum(tables: &mut [u64], groups: Option<&[u32]>, values: impl Iterator<Item = u64>) {
    match groups {
        None => tables[0] = values.fold(tables[0], u64::wrapping_add),
        Some(groups) => scatter(tables, groups.iter().map(|group| *group as usize).zip(values)),
    }
}

/// Adds each value to its cell, in the tables in turn.
fn scatter(tables: &mut [u64], rows: impl Iterator<Item = (usize, u64)>) {
    let width = tables.len() / LANES;
    let mut base = 0;
    for (cell, value) in rows {
        let cell = &mut tables[base..base + width][cell];
        *cell = cell.wrapping_add(value);
        base += width;
        base = if base == LANES * width { 0 } else { base };
    }
}

/// `(value - center)^2 >> shift` of each row.
fn squares(units: &[i64], center: i64, shift: u32, out: &mut Vec<u64>) {
    out.clear();
    // Bounds are within 2^51, so a difference is within 2^52. Only where there is a shift may a square need more than
    // 64 bits: without one, validation holds even the sum of all squares below 2^63.
    let differences = units.iter().map(|value| value.wrapping_sub(center));
    if shift == 0 {
        out.extend(differences.map(|difference| difference.wrapping_mul(difference).cast_unsigned()));
    } else {
        out.extend(differences.map(|difference| {
            let difference = u128::from(difference.unsigned_abs());
            ((difference * difference) >> shift) as u64
        }));
    }
}

/// The bin of each row: how many of the inner edges are at or below its value.
fn bins(units: &[i64], edges: &[i64], out: &mut Vec<u64>) {
    let inner = edges.get(1..edges.len().saturating_sub(1)).unwrap_or_default();
    out.clear();
    if inner.len() <= 8 {
        // Few compares of all, which become vector code, beat a search.
        out.extend(units.iter().map(|value| inner.iter().map(|edge| u64::from(edge <= value)).sum::<u64>()));
        return;
    }
    out.extend(units.iter().map(|value| {
        // A binary search of a fixed number of steps: a branch on a row's value would be guessed wrong half the time.
        let mut from = 0usize;
        let mut len = inner.len();
        while len > 1 {
            let half = len / 2;
            let passed = inner[from + half - 1] <= *value;
            from = std::hint::select_unpredictable(passed, from + half, from);
            len -= half;
        }
        (from + usize::from(inner[from] <= *value)) as u64
    }));
}
