//! What a GPU gives back, from its buffers to the caller's memory.

use super::{Gpu, copy};
use crate::{KernelError, Word};
use std::sync::PoisonError;
use zeroize::Zeroizing;

/// Buffers for results that are kept for the next batch: 128 MiB. What is mapped must be pinned first, which takes longer than to copy there.
const SPARE: usize = 16;

/// Results in host memory, not yet the caller's: a batch that fails half way has changed nothing.
pub(super) struct Results<'a> {
    gpu: &'a Gpu,
    parts: Vec<(wgpu::Buffer, usize)>,
    /// Bytes that one unit of work may have written behind a result.
    unit: usize,
}

impl<'a> Results<'a> {
    /// What was copied to `parts`, each mapped: the buffer and its bytes that count. Each was copied up to a whole `unit`.
    pub(super) fn new(gpu: &'a Gpu, parts: Vec<(wgpu::Buffer, usize)>, unit: usize) -> Self {
        Results { gpu, parts, unit }
    }

    /// Bytes of all parts.
    fn len(&self) -> usize {
        self.parts.iter().map(|(_, len)| len).sum()
    }

    /// The sum of all results, which are totals of workgroups.
    pub(super) fn total<T: Word>(self) -> Result<T, KernelError> {
        let mut totals = Zeroizing::new(vec![T::ZERO; self.len() / size_of::<T>()]);
        self.write_to(bytemuck::cast_slice_mut(&mut totals))?;
        Ok(totals.iter().fold(T::ZERO, |sum, total| sum.wrapping_add(*total)))
    }

    /// Gives the caller his results, and the buffers back for the next batch, wiped.
    pub(super) fn write_to(self, out: &mut [u8]) -> Result<(), KernelError> {
        let inner = &self.gpu.0;
        let failed = |error: wgpu::MapRangeError| KernelError::Gpu {
            problem: format!("{}: results cannot be read back: {error}", inner.name),
        };
        let sizes =
            self.parts.iter().map(|(buffer, len)| buffer.get_mapped_range(..len.next_multiple_of(8) as u64));
        let views = sizes.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let mut rest = out;
        for ((_, len), view) in self.parts.iter().zip(&views) {
            let (now, later) = rest.split_at_mut(*len);
            copy::down(&view[..*len], now);
            rest = later;
        }
        drop(views);

        let mut encoder = inner.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut room = inner.room.lock().unwrap_or_else(PoisonError::into_inner);
        for (buffer, len) in self.parts {
            buffer.unmap();
            if room.results.len() < SPARE {
                // What a kernel makes of the zeros in its last unit was copied too.
                let copied = (len.next_multiple_of(self.unit) as u64).min(buffer.size());
                encoder.clear_buffer(&buffer, 0, Some(copied));
                room.results.push(buffer);
            }
        }
        inner.queue.submit([encoder.finish()]);
        Ok(())
    }
}
