//! Kernels over matrices: rows are filled up with zeros on their way to the GPU, and come back without.

use super::Gpu;
use super::buffer::{Room, SLOT, bound};
use super::ops::VECTOR;
use super::params::Params;
use super::results::{Copied, Results};
use crate::KernelError;
use std::ops::Range;

/// Some columns of some rows of a matrix, and what they are filled up to on the GPU. All but rows are counted in bytes.
#[derive(Clone)]
pub(super) struct Panel {
    /// A row of the matrix.
    width: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    /// Rows on the GPU.
    tall: usize,
    /// A row on the GPU.
    pub(super) stride: usize,
}

impl Panel {
    /// A part of a matrix of `width` elements a row, each of `size` bytes; on the GPU it is whole tiles of so many rows and columns.
    pub(super) fn new(
        size: usize,
        width: usize,
        rows: Range<usize>,
        columns: Range<usize>,
        tile: [usize; 2],
    ) -> Panel {
        let tall = rows.len().next_multiple_of(tile[0]);
        let stride = size * columns.len().next_multiple_of(tile[1]);
        Panel { width: size * width, rows, columns: size * columns.start..size * columns.end, tall, stride }
    }

    /// Bytes on the GPU.
    pub(super) fn bytes(&self) -> usize {
        self.tall * self.stride
    }

    /// Rows that take at most so many bytes on the GPU, or one of them, and where they begin there.
    fn pieces(&self, most: usize) -> impl Iterator<Item = (usize, Panel)> {
        let Range { start, end } = self.rows;
        blocks(self.tall, (most / self.stride).max(1)).map(move |rows| {
            let own = end.min(start + rows.start)..end.min(start + rows.end);
            (self.stride * rows.start, Panel { rows: own, tall: rows.len(), ..self.clone() })
        })
    }

    /// Whether the rows are on the GPU as they are in the matrix.
    fn is_same(&self) -> bool {
        self.columns.len() == self.width && self.stride == self.width
    }

    /// Where the rows are in the matrix.
    fn place(&self) -> Range<usize> {
        self.width * self.rows.start..self.width * self.rows.end
    }

    fn rows<'m>(&self, matrix: &'m [u8]) -> impl Iterator<Item = &'m [u8]> {
        let columns = self.columns.clone();
        matrix[self.place()].chunks_exact(self.width).map(move |row| &row[columns.clone()])
    }

    /// Gives the matrix its rows.
    pub(super) fn write(&self, results: Results<'_>, matrix: &mut [u8]) -> Result<(), KernelError> {
        let (place, columns) = (&mut matrix[self.place()], self.columns.clone());
        if self.is_same() {
            return results.write_to(place);
        }
        let rows = place.chunks_exact_mut(self.width).map(move |row| &mut row[columns.clone()]);
        results.write_rows(self.stride, rows)
    }
}

/// The numbers below `len`, `side` at a time.
pub(super) fn blocks(len: usize, side: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(side).map(move |start| start..len.min(start + side))
}

/// Dispatches one after the other that write, or change, the same panel.
pub(super) struct Work<'a> {
    /// What is bound as 1.
    pub(super) target: Panel,
    /// The matrix that has what the first dispatch finds there; `None`: they do not read it.
    pub(super) before: Option<&'a [u8]>,
    /// Bytes of it that one invocation writes.
    pub(super) unit: usize,
    pub(super) steps: Vec<Step<'a>>,
    pub(super) gather: Option<Gather>,
}

/// Each dispatch writes several panels, one behind the other; those behind the first are zero before, and all are added up at the end.
#[derive(Clone, Copy)]
pub(super) struct Gather {
    pub(super) kernel: &'static str,
    pub(super) shares: usize,
}

impl Work<'_> {
    fn shares(&self) -> usize {
        self.gather.map_or(1, |gather| gather.shares)
    }

    /// Bytes of all panels.
    fn bound(&self) -> u64 {
        (self.shares() * self.target.bytes()) as u64
    }

    /// Invocations that write them.
    fn units(&self) -> u32 {
        (self.bound() / self.unit as u64) as u32
    }

    /// What each dispatch is told.
    fn params(&self) -> impl Iterator<Item = Params> {
        let steps = self.steps.iter().map(|step| step.params.part(self.units(), 0));
        let sums = (self.target.bytes() / VECTOR) as u32;
        steps.chain(self.gather.map(|gather| Params::bits(gather.shares as u32).part(sums, 0)))
    }
}

/// One dispatch.
pub(super) struct Step<'a> {
    pub(super) params: Params,
    /// Panels of matrices that are bound as 2, one behind the other.
    pub(super) sources: Vec<(&'a [u8], Panel)>,
}

impl Step<'_> {
    fn bytes(&self) -> usize {
        self.sources.iter().map(|(_, panel)| panel.bytes()).sum()
    }
}

impl Gpu {
    /// Runs a kernel, and gives the results of each work with the panel that they are. One dispatch is under way while the factors of the
    /// next one go to the GPU.
    pub(super) fn panels<'g>(
        &'g self,
        kernel: &str,
        work: &[Work<'_>],
    ) -> Result<Vec<(Results<'g>, Panel)>, KernelError> {
        let parts = self.alone(kernel, |room| self.try_panels(kernel, work, room))?;
        let results = parts.into_iter().map(|parts| Results::new(self, parts));
        Ok(results.zip(work.iter().map(|work| work.target.clone())).collect())
    }

    fn try_panels(&self, kernel: &str, work: &[Work<'_>], room: &mut Room) -> Option<Vec<Vec<Copied>>> {
        let pipeline = self.pipeline(kernel)?;
        let (workgroup, count) = (pipeline.shader.workgroup_size, work.len());
        let params: Vec<Params> = work.iter().flat_map(Work::params).collect();
        let (uniforms, key) = self.uniforms(SLOT, params.into_iter())?;
        let most = [
            work.iter().map(Work::bound).max()?,
            work.iter().flat_map(|work| &work.steps).map(Step::bytes).max()? as u64,
        ];
        let target = self.working(&mut room.target, most[0]);
        let source = self.working(&mut room.source, most[1]);

        let mut earlier = None;
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(&key, 0, &uniforms, 0, Some(uniforms.size()));
        let mut results = Vec::with_capacity(work.len());
        let mut slots = (0..).map(|slot: u64| bound(&uniforms, SLOT * slot, Params::SIZE));
        for (index, work) in work.iter().enumerate() {
            if let Some(before) = work.before {
                self.upload_panel(&target, 0, before, &work.target, &mut earlier)?;
            }
            let panel = work.target.bytes() as u64;
            if work.gather.is_some() {
                encoder.clear_buffer(&target, panel, Some(work.bound() - panel));
            }
            for (number, step) in work.steps.iter().enumerate() {
                if number > 0 {
                    let written = std::mem::replace(&mut encoder, self.encoder());
                    self.submit(&mut earlier, [written.finish()])?;
                }
                let mut place = 0;
                for (matrix, panel) in &step.sources {
                    self.upload_panel(&source, place, matrix, panel, &mut earlier)?;
                    place += panel.bytes();
                }
                let buffers =
                    [slots.next()?, bound(&target, 0, work.bound()), bound(&source, 0, place as u64)];
                self.dispatch(&mut encoder, pipeline, buffers, work.units().div_ceil(workgroup));
            }
            if let Some(gather) = work.gather {
                let pipeline = self.pipeline(gather.kernel)?;
                let groups = (panel / VECTOR as u64).div_ceil(pipeline.shader.workgroup_size.into());
                let buffers = [slots.next()?, bound(&target, 0, work.bound())];
                self.dispatch(&mut encoder, pipeline, buffers, groups as u32);
            }
            let mut parts = Vec::new();
            for (place, piece) in work.target.pieces(self.shard()) {
                let kept = piece.stride * piece.rows.len();
                if kept > 0 {
                    let (bytes, buffer) = (kept as u64, self.result(room, kept as u64));
                    encoder.copy_buffer_to_buffer(&target, place as u64, &buffer, 0, Some(bytes));
                    parts.push(Copied { buffer, bytes, kept });
                }
            }
            if index + 1 == count {
                // Neither the parameters nor the matrices stay behind on the GPU.
                encoder.clear_buffer(&uniforms, 0, None);
                encoder.clear_buffer(&target, 0, Some(most[0]));
                encoder.clear_buffer(&source, 0, Some(most[1]));
            }
            let written = std::mem::replace(&mut encoder, self.encoder());
            self.submit(&mut earlier, [written.finish()])?;
            parts
                .iter()
                .for_each(|part| part.buffer.map_async(wgpu::MapMode::Read, ..part.bytes, self.noting()));
            results.push(parts);
        }
        self.finish(&key)?;
        Some(results)
    }

    /// Copies a panel of a matrix to a place in the buffer, about as much at a time as is a part.
    fn upload_panel(
        &self,
        buffer: &wgpu::Buffer,
        place: usize,
        matrix: &[u8],
        panel: &Panel,
        earlier: &mut Option<wgpu::SubmissionIndex>,
    ) -> Option<()> {
        for (index, (at, piece)) in panel.pieces(self.shard()).enumerate() {
            if index > 0 {
                self.submit(earlier, [])?;
            }
            let (at, bound) = ((place + at) as u64, piece.bytes() as u64);
            if piece.is_same() {
                self.upload(buffer, at, &matrix[piece.place()], bound)?;
            } else {
                self.upload_rows(buffer, at, piece.rows(matrix), piece.stride, bound)?;
            }
        }
        Some(())
    }
}
