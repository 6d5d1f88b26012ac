//! Rows of this party, summed into the vector of the plan.
//!
//! Each batch is encoded once for each number column. Statistics that select rows in the same way share one pass that
//! finds each row's group, and measures that occur in several components are summed once. All sums wrap in Z2^64; a
//! valid plan leaves no room for one to wrap.

mod measures;
mod selection;

use crate::input::{InputError, Position, RowReader, Rows, Values};
use measures::Sums;
use selection::Selection;
use veilgrid_api::plan::{ColumnKind, Component, Measure, Plan};
use veilgrid_kernels::{Device, KernelError, fixed};

/// Why rows were not summed.
#[derive(Debug, thiserror::Error)]
pub enum AggregateError {
    /// The rows are not as declared.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The device fails, or the plan's formats are out of its range.
    #[error("rows cannot be encoded: {0}")]
    Kernel(#[from] KernelError),
}

/// Sums all rows of a reader: one ring element for each of the plan's cells, in two's complement.
///
/// `progress` is told how far the reader is after each batch. Batches are small enough for a CPU's cache, and each row is
/// touched once: a GPU gives the same bits and no speed here.
pub fn aggregate(
    plan: &Plan,
    reader: &mut dyn RowReader,
    device: &Device,
    progress: &mut dyn FnMut(Position),
) -> Result<Vec<u64>, AggregateError> {
    let mut work = Work::new(plan);
    let mut batch = Encoded::new(plan)?;
    let mut rows = Rows::default();
    progress(reader.position());
    while reader.next(&mut rows)? {
        batch.encode(&rows, device)?;
        work.add(&batch);
        progress(reader.position());
    }
    progress(reader.position());
    Ok(work.cells(plan))
}

/// A batch in units.
struct Encoded {
    len: usize,
    columns: Vec<EncodedColumn>,
}

enum EncodedColumn {
    Number { format: fixed::Fixed, units: Vec<i64> },
    Category(Vec<u32>),
}

impl Encoded {
    fn new(plan: &Plan) -> Result<Self, KernelError> {
        let column = |kind: &ColumnKind| match *kind {
            ColumnKind::Number { fraction_bits, min, max } => {
                let format = fixed::Fixed::new(fraction_bits, min, max)?;
                Ok(EncodedColumn::Number { format, units: Vec::new() })
            }
            ColumnKind::Category { .. } => Ok(EncodedColumn::Category(Vec::new())),
        };
        let columns = plan.columns.iter().map(|found| column(&found.kind)).collect::<Result<_, _>>()?;
        Ok(Self { len: 0, columns })
    }

    fn encode(&mut self, rows: &Rows, device: &Device) -> Result<(), KernelError> {
        self.len = rows.len;
        for (encoded, values) in self.columns.iter_mut().zip(&rows.columns) {
            match (encoded, values) {
                (EncodedColumn::Number { format, units }, Values::Numbers(numbers)) => {
                    units.resize(numbers.len(), 0);
                    fixed::encode(device, numbers, *format, units)?;
                }
                (EncodedColumn::Category(indices), Values::Categories(values)) => indices.clone_from(values),
                _ => unreachable!("a reader gives columns of the plan's kinds"),
            }
        }
        Ok(())
    }

    /// The units of a number column.
    ///
    /// # Panics
    /// Where the plan's statistics contradict its columns.
    fn units(&self, column: u32) -> &[i64] {
        match &self.columns[column as usize] {
            EncodedColumn::Number { units, .. } => units,
            EncodedColumn::Category(_) => panic!("column {column} of the plan is not a number"),
        }
    }
}

/// What is summed, without repetition.
struct Work {
    passes: Vec<Pass>,
    /// The pass and the sum of each component, in the plan's order.
    uses: Vec<(usize, usize)>,
}

/// One way to select and group rows, and what is summed over it.
struct Pass {
    selection: Selection,
    sums: Vec<Sums>,
}

impl Work {
    fn new(plan: &Plan) -> Self {
        let mut work = Self { passes: Vec::new(), uses: Vec::new() };
        for statistic in &plan.statistics {
            let selection = Selection::new(plan, statistic);
            let pass = work.passes.iter().position(|pass| pass.selection == selection).unwrap_or_else(|| {
                work.passes.push(Pass { selection, sums: Vec::new() });
                work.passes.len() - 1
            });
            for Component { measure, .. } in &statistic.components {
                let Pass { selection, sums } = &mut work.passes[pass];
                let sum = sums.iter().position(|sums| sums.answers(measure)).unwrap_or_else(|| {
                    sums.push(Sums::new(measure, selection.groups()));
                    sums.len() - 1
                });
                work.uses.push((pass, sum));
                // A centred sum is made of the plain sum and the number of rows.
                if matches!(measure, Measure::CenteredSum { .. })
                    && !sums.iter().any(|s| s.answers(&Measure::Rows))
                {
                    sums.push(Sums::new(&Measure::Rows, selection.groups()));
                }
            }
        }
        work
    }

    fn add(&mut self, batch: &Encoded) {
        for Pass { selection, sums } in &mut self.passes {
            let groups = selection.find(batch);
            sums.iter_mut().for_each(|sums| sums.add(batch, groups));
        }
    }

    fn cells(&self, plan: &Plan) -> Vec<u64> {
        let mut cells = vec![0; plan.cells as usize];
        let components = plan.statistics.iter().flat_map(|statistic| &statistic.components);
        for (component, (pass, sum)) in components.zip(&self.uses) {
            let Pass { selection, sums } = &self.passes[*pass];
            let from = component.offset as usize;
            let run = &mut cells[from..from + component.cells as usize];
            run.copy_from_slice(&sums[*sum].cells()[..run.len()]);
            if let Measure::CenteredSum { center, .. } = component.measure {
                let rows = sums.iter().find(|sums| sums.answers(&Measure::Rows));
                let rows =
                    &rows.expect("rows are counted with each centred sum").cells()[..selection.groups()];
                for (cell, rows) in run.iter_mut().zip(rows) {
                    *cell = cell.wrapping_sub(rows.wrapping_mul(center.cast_unsigned()));
                }
            }
        }
        cells
    }
}
