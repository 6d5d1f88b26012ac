//! Vectors that stay on the GPU, and their way there and back.

use super::Gpu;
use super::buffer::Room;
use super::results::{Copied, Results};
use crate::KernelError;
use crate::stream::BLOCK;
use std::ops::Range;
use std::sync::PoisonError;

/// A vector in the memory of a GPU, in as many parts as its bindings need; wiped when dropped.
pub(crate) struct Resident {
    gpu: Gpu,
    /// Each a whole number of blocks of 64 bytes; all but the last as large as a binding may be.
    parts: Vec<wgpu::Buffer>,
    bytes: usize,
}

/// Some bytes of a vector that are copied at once.
struct Piece<'a> {
    buffer: &'a wgpu::Buffer,
    /// Where they are in the buffer, and in the vector.
    place: u64,
    bytes: Range<usize>,
}

impl Piece<'_> {
    /// Bytes of whole blocks.
    fn bound(&self) -> u64 {
        self.bytes.len().next_multiple_of(BLOCK) as u64
    }
}

/// The parts of a vector of `bytes` bytes.
pub(super) fn parts(bytes: usize, most: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    (0..bytes.div_ceil(most)).map(move |index| index * most..bytes.min((index + 1) * most))
}

impl Resident {
    /// `bytes` zeros.
    pub(crate) fn new(gpu: &Gpu, bytes: usize) -> Result<Resident, KernelError> {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let size = |part: Range<usize>| part.len().next_multiple_of(BLOCK) as u64;
        let buffer = |part| gpu.buffer("resident", size(part), usage, false);
        let all = parts(bytes, gpu.0.binding);
        let parts = gpu.alone("a buffer", |_| Some(all.map(buffer).collect()))?;
        Ok(Resident { gpu: gpu.clone(), parts, bytes })
    }

    /// Part `index`, and the bytes of the vector that it holds.
    pub(super) fn part(&self, index: usize) -> &wgpu::Buffer {
        &self.parts[index]
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether one part is all.
    pub(super) fn is_whole(&self) -> bool {
        self.parts.len() == 1
    }

    /// What there is of some bytes in each part: the place there, that behind `place` where the bytes are from there on, and how many.
    pub(super) fn places(
        &self,
        bytes: Range<usize>,
        place: usize,
    ) -> impl Iterator<Item = (&wgpu::Buffer, u64, u64, u64)> {
        let most = self.gpu.binding();
        let Range { start, end } = bytes;
        (start / most..end.div_ceil(most)).map(move |part| {
            let (from, to) = (start.max(part * most), end.min((part + 1) * most));
            let [at, other, len] = [from - part * most, place + from - start, to - from];
            (&self.parts[part], at as u64, other as u64, len as u64)
        })
    }

    /// What is copied at once: less than a part, so that one piece is copied while another is on its way.
    fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let (shard, binding) = (self.gpu.0.shard, self.gpu.binding());
        self.parts.iter().zip(parts(self.bytes, binding)).flat_map(move |(buffer, part)| {
            parts(part.len(), shard).map(move |piece| Piece {
                buffer,
                place: piece.start as u64,
                bytes: part.start + piece.start..part.start + piece.end,
            })
        })
    }

    /// Copies `bytes` there, as many as there are.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        let gpu = &self.gpu;
        gpu.alone("an upload", |_| {
            let mut earlier = None;
            for piece in self.pieces() {
                gpu.upload(piece.buffer, piece.place, &bytes[piece.bytes.clone()], piece.bound())?;
                gpu.submit(&mut earlier, [])?;
            }
            gpu.wait(None)
        })
    }

    /// Copies all to `out`, which is as long.
    pub(crate) fn read(&self, out: &mut [u8]) -> Result<(), KernelError> {
        let parts = self.gpu.alone("a download", |room| self.try_read(room))?;
        Results::new(&self.gpu, parts).write_to(out)
    }

    fn try_read(&self, room: &mut Room) -> Option<Vec<Copied>> {
        let gpu = &self.gpu;
        let mut results = Vec::new();
        for piece in self.pieces() {
            let result = gpu.result(room, piece.bound());
            let mut encoder = gpu.encoder();
            encoder.copy_buffer_to_buffer(piece.buffer, piece.place, &result, 0, Some(piece.bound()));
            gpu.0.queue.submit([encoder.finish()]);
            result.map_async(wgpu::MapMode::Read, ..piece.bound(), gpu.noting());
            results.push(Copied { buffer: result, bytes: piece.bound(), kept: piece.bytes.len() });
        }
        gpu.wait(None)?;
        Some(results)
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        let inner = &self.gpu.0;
        let _alone = inner.room.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.fault.is_lost() {
            return;
        }
        let mut encoder = inner.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.parts.iter().for_each(|part| encoder.clear_buffer(part, 0, None));
        inner.queue.submit([encoder.finish()]);
        // Nobody is there to hear a complaint; a loss is told to the next who asks.
        inner.fault.take();
    }
}
