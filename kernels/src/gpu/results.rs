//! What a GPU gives back, from its buffers to the caller's memory.

use super::buffer::{PLANES, columns};
use super::{Gpu, copy};
use crate::{KernelError, Word};
use std::sync::PoisonError;
use zeroize::Zeroizing;

/// Buffers for results that are kept for the next batch: 128 MiB. What is mapped must be pinned first, which takes longer than to copy there.
const SPARE: usize = 16;

/// Results in host memory, not yet the caller's: a batch that fails half way has changed nothing.
pub(super) struct Results<'a> {
    gpu: &'a Gpu,
    parts: Vec<Copied>,
}

/// What was copied of a part, and is mapped.
pub(super) struct Copied {
    pub(super) buffer: wgpu::Buffer,
    /// Bytes that were copied: whole units of work.
    pub(super) bytes: u64,
    /// Bytes of those that are a result.
    pub(super) kept: usize,
}

impl<'a> Results<'a> {
    pub(super) fn new(gpu: &'a Gpu, parts: Vec<Copied>) -> Self {
        Results { gpu, parts }
    }

    /// Bytes of all parts.
    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.kept).sum()
    }

    /// The sum of all results, which are totals of workgroups.
    pub(super) fn total<T: Word>(self) -> Result<T, KernelError> {
        let totals = self.totals::<T>()?;
        Ok(totals.iter().fold(T::ZERO, |sum, total| sum.wrapping_add(*total)))
    }

    /// All results, which are totals of workgroups.
    pub(super) fn totals<T: Word>(self) -> Result<Zeroizing<Vec<T>>, KernelError> {
        let mut totals = Zeroizing::new(vec![T::ZERO; self.len() / size_of::<T>()]);
        self.write_to(bytemuck::cast_slice_mut(&mut totals))?;
        Ok(totals)
    }

    /// Gives the caller his results.
    pub(super) fn write_to(self, out: &mut [u8]) -> Result<(), KernelError> {
        self.handed(|parts| {
            let mut rest = out;
            for (view, kept) in parts {
                let (now, later) = std::mem::take(&mut rest).split_at_mut(*kept);
                copy::down(&view[..*kept], now);
                rest = later;
            }
        })
    }

    /// Gives the caller the bit planes that are the results, of a vector that was taken in parts.
    pub(super) fn write_planes(self, planes: &mut [u64]) -> Result<(), KernelError> {
        self.handed(|parts| {
            let mut rests: Vec<&mut [u64]> = planes.chunks_exact_mut(planes.len() / PLANES).collect();
            for (view, kept) in parts {
                let columns = columns(&(0..*kept)).len();
                let rows = rests.iter_mut().map(|rest| {
                    let (now, later) = std::mem::take(rest).split_at_mut(columns);
                    *rest = later;
                    bytemuck::cast_slice_mut(now)
                });
                copy::rows_down(view, view.len() / PLANES, rows);
            }
        })
    }

    /// Gives the caller the rows that the parts hold, each from the beginning of as many bytes.
    pub(super) fn write_rows<'r>(
        self,
        stride: usize,
        mut rows: impl Iterator<Item = &'r mut [u8]>,
    ) -> Result<(), KernelError> {
        self.handed(|parts| {
            for (view, _) in parts {
                copy::rows_down(view, stride, rows.by_ref());
            }
        })
    }

    /// Gives `take` what there is of each part, and how many bytes of that count; then the buffers back for the next batch, wiped.
    fn handed(self, take: impl FnOnce(&[(wgpu::BufferView, usize)])) -> Result<(), KernelError> {
        let inner = &self.gpu.0;
        let failed = |error: wgpu::MapRangeError| KernelError::Gpu {
            problem: format!("{}: results cannot be read back: {error}", inner.name),
        };
        let views = self.parts.iter().map(|part| {
            let view = part.buffer.get_mapped_range(..part.bytes)?;
            Ok((view, part.kept))
        });
        let views = views.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        take(&views);
        drop(views);

        let mut encoder = inner.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut room = inner.room.lock().unwrap_or_else(PoisonError::into_inner);
        for Copied { buffer, bytes, .. } in self.parts {
            buffer.unmap();
            if room.results.len() < SPARE {
                encoder.clear_buffer(&buffer, 0, Some(bytes));
                room.results.push(buffer);
            }
        }
        inner.queue.submit([encoder.finish()]);
        Ok(())
    }
}
