//! Moves vectors to the GPU and back, a part at a time, and runs a kernel on each part.

use super::params::Params;
use super::results::{Copied, Results};
use super::{Gpu, copy};
use crate::KernelError;
use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::PoisonError;

/// Bytes from one set of parameters to the next: as much as any GPU asks for.
pub(super) const SLOT: u64 = Params::SIZE.next_multiple_of(256);
/// Parts of the usual size that a working buffer which is kept has at most.
const KEPT: u64 = 4;
/// Bytes of the least buffer that is made.
const LEAST: u64 = 1 << 16;

/// Bit planes of a vector of words, each a bit of all.
pub(super) const PLANES: usize = u64::BITS as usize;

/// The words of a bit plane that belong to some bytes of the integers, from a whole word of it on.
pub(super) fn columns(bytes: &Range<usize>) -> Range<usize> {
    let block = PLANES * size_of::<u64>();
    bytes.start / block..bytes.end.div_ceil(block)
}

/// So many bytes of a buffer, from a place in it on.
pub(super) fn bound(buffer: &wgpu::Buffer, offset: u64, size: u64) -> wgpu::BufferBinding<'_> {
    wgpu::BufferBinding { buffer, offset, size: NonZeroU64::new(size) }
}

/// One kernel over one vector.
pub(super) struct Job<'a> {
    pub(super) kernel: &'static str,
    pub(super) params: Params,
    /// Bytes of the vector.
    pub(super) len: usize,
    /// Bytes of one unit of work.
    pub(super) unit: usize,
    /// Bytes that one part must hold whole: a multiple of the unit.
    pub(super) together: usize,
    /// Invocations that one unit takes.
    pub(super) lanes: u32,
    /// Keystream blocks that one unit consumes.
    pub(super) blocks: u64,
    /// What goes to binding 1; `None`: the kernel does not read it.
    pub(super) target: Option<&'a [u8]>,
    /// What goes to binding 2.
    pub(super) source: Option<&'a [u8]>,
    /// What goes to binding 3.
    pub(super) second: Option<&'a [u8]>,
    /// How often the kernel runs over a part. Bindings 1 and 2 change places from one pass to the next.
    pub(super) passes: u32,
    /// Whether binding 1 gets 16 bytes a workgroup instead of the vector.
    pub(super) totals: bool,
    /// What goes to binding 2 instead: the bit planes of a vector of words, of which a part gets its own columns.
    pub(super) planes: Option<&'a [u64]>,
    /// The binding, 2 or 3, of which a part gets all instead of as much as of the vector.
    pub(super) whole: Option<u32>,
}

/// One part of a job.
struct Part {
    /// Bytes of the vector.
    bytes: Range<usize>,
    /// Units of work, the last one perhaps in part.
    count: u32,
    /// Bytes of whole units: what is bound.
    bound: u64,
    groups: u32,
    /// Bytes of binding 1, and those of them that are a result.
    target: u64,
    result: usize,
}

/// Buffers that are kept from batch to batch.
#[derive(Default)]
pub(super) struct Room {
    pub(super) target: Option<wgpu::Buffer>,
    pub(super) source: Option<wgpu::Buffer>,
    second: Option<wgpu::Buffer>,
    /// To read results from.
    pub(super) results: Vec<wgpu::Buffer>,
}

impl Job<'_> {
    fn parts(&self, shard: usize, workgroup: u32) -> Vec<Part> {
        let shard = (shard / self.together).max(1) * self.together;
        let starts = (0..self.len).step_by(shard);
        let part = |start: usize| {
            let bytes = start..self.len.min(start + shard);
            let count = bytes.len().div_ceil(self.unit);
            let bound = (count * self.unit) as u64;
            let groups = (count as u32 * self.lanes).div_ceil(workgroup);
            let total = 16 * groups as usize;
            let (target, result) = if self.totals { (total as u64, total) } else { (bound, bytes.len()) };
            Part { bytes, count: count as u32, bound, groups, target, result }
        };
        starts.map(part).collect()
    }
}

impl Gpu {
    /// Runs a job whose vector is not empty and waits for its results.
    pub(super) fn run(&self, job: &Job<'_>) -> Result<Results<'_>, KernelError> {
        let parts = self.alone(job.kernel, |room| self.try_run(job, room))?;
        Ok(Results::new(self, parts))
    }

    /// Does `work` while no other batch is under way, so that a complaint is about this one. `None` from it:
    /// something failed, and `fault` very likely knows what.
    pub(super) fn alone<R>(
        &self,
        what: &str,
        work: impl FnOnce(&mut Room) -> Option<R>,
    ) -> Result<R, KernelError> {
        let mut room = self.0.room.lock().unwrap_or_else(PoisonError::into_inner);
        // A driver that is gone is asked nothing more.
        let done = if self.0.fault.is_lost() { None } else { work(&mut room) };
        match (self.0.fault.take(), done) {
            (None, Some(done)) => Ok(done),
            (problem, _) => {
                // Whatever is wrong with them, the next batch starts with buffers of its own.
                *room = Room::default();
                let problem = problem.unwrap_or_else(|| "the driver gave no buffer and no reason".to_owned());
                Err(KernelError::Gpu { problem: format!("{}: {what}: {problem}", self.describe()) })
            }
        }
    }

    fn try_run(&self, job: &Job<'_>, room: &mut Room) -> Option<Vec<Copied>> {
        let pipeline = self.pipeline(job.kernel)?;
        let parts = job.parts(self.0.shard, pipeline.shader.workgroup_size);
        let (params, key) = self.params(job, &parts)?;
        let mut results = Vec::with_capacity(parts.len());
        let mut earlier = None;
        for (index, part) in parts.iter().enumerate() {
            let target = self.working(&mut room.target, part.target);
            if let Some(bytes) = job.target {
                self.upload(&target, 0, &bytes[part.bytes.clone()], part.bound)?;
            }
            let mut inputs = Vec::with_capacity(2);
            if let Some(planes) = job.planes {
                let buffer = self.working(&mut room.source, part.bound);
                let columns = columns(&part.bytes);
                let rows = planes.chunks_exact(planes.len() / PLANES);
                let rows = rows.map(|plane| bytemuck::cast_slice(&plane[columns.clone()]));
                self.upload_rows(&buffer, 0, rows, part.bound as usize / PLANES, part.bound)?;
                inputs.push((buffer, [part.bound, parts[0].bound]));
            }
            for (binding, bytes, kept) in
                [(2, job.source, &mut room.source), (3, job.second, &mut room.second)]
            {
                let Some(bytes) = bytes else { continue };
                // Bytes that are bound, and the most that any part has had there.
                let (bytes, sizes) = if job.whole == Some(binding) {
                    (bytes, [bytes.len() as u64; 2])
                } else {
                    (&bytes[part.bytes.clone()], [part.bound, parts[0].bound])
                };
                let buffer = self.working(kept, sizes[0]);
                self.upload(&buffer, 0, bytes, sizes[0])?;
                inputs.push((buffer, sizes));
            }
            let result = self.result(room, part.target);

            let mut encoder = self.encoder();
            if index == 0 {
                encoder.copy_buffer_to_buffer(&key, 0, &params, 0, Some(params.size()));
            }
            let mut vectors = vec![bound(&target, 0, part.target)];
            vectors.extend(inputs.iter().map(|(buffer, [size, _])| bound(buffer, 0, *size)));
            for pass in 0..job.passes {
                let slot = index as u64 * u64::from(job.passes) + u64::from(pass);
                let place = bound(&params, SLOT * slot, Params::SIZE);
                if pass > 0 {
                    vectors.swap(0, 1);
                }
                let buffers = [place].into_iter().chain(vectors.iter().cloned());
                self.dispatch(&mut encoder, pipeline, buffers, part.groups);
            }
            encoder.copy_buffer_to_buffer(vectors[0].buffer, 0, &result, 0, Some(part.target));
            if index + 1 == parts.len() {
                // Neither the key nor the data stay behind on the GPU.
                encoder.clear_buffer(&params, 0, None);
                encoder.clear_buffer(&target, 0, Some(parts[0].target));
                for (buffer, [_, most]) in &inputs {
                    encoder.clear_buffer(buffer, 0, Some(*most));
                }
            }
            self.submit(&mut earlier, [encoder.finish()])?;
            result.map_async(wgpu::MapMode::Read, ..part.target, self.noting());
            results.push(Copied { buffer: result, bytes: part.target, kept: part.result });
        }
        self.finish(&key)?;
        Some(results)
    }

    /// Waits for everything, and wipes the parameters that it came from.
    pub(super) fn finish(&self, key: &wgpu::Buffer) -> Option<()> {
        key.map_async(wgpu::MapMode::Write, .., self.noting());
        self.wait(None)?;
        key.get_mapped_range_mut(..).ok()?.slice(..).fill(0);
        key.unmap();
        Some(())
    }

    /// One slot of parameters for each pass of each part.
    fn params(&self, job: &Job<'_>, parts: &[Part]) -> Option<(wgpu::Buffer, wgpu::Buffer)> {
        let passes = job.passes as usize;
        let values = (0..parts.len() * passes).map(|slot| {
            let part = &parts[slot / passes];
            let before = (part.bytes.start / job.unit) as u64 * job.blocks;
            job.params.part(part.count, before).pass((slot % passes) as u32)
        });
        self.uniforms(SLOT, values)
    }

    /// Values in slots of `slot` bytes: the buffer that kernels read, and the one in host memory that they come from.
    /// Our own and not wgpu's, so that it can be wiped.
    pub(super) fn uniforms<V: AsRef<[u8]>>(
        &self,
        slot: u64,
        values: impl ExactSizeIterator<Item = V>,
    ) -> Option<(wgpu::Buffer, wgpu::Buffer)> {
        let size = slot * values.len() as u64;
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let uniforms = self.buffer("parameters", size, usage, false);
        let usage = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
        let key = self.buffer("parameters to come", size, usage, true);
        let mut view = key.get_mapped_range_mut(..).ok()?;
        for (index, value) in values.enumerate() {
            let (at, bytes) = (index * slot as usize, value.as_ref());
            view.slice(at..at + bytes.len()).copy_from_slice(bytes);
        }
        drop(view);
        key.unmap();
        Some((uniforms, key))
    }

    /// Copies `bytes` to a place in the buffer, with zeros behind them up to `bound` bytes.
    pub(super) fn upload(&self, buffer: &wgpu::Buffer, place: u64, bytes: &[u8], bound: u64) -> Option<()> {
        let mut view = self.0.queue.write_buffer_with(buffer, place, NonZeroU64::new(bound)?)?;
        copy::up(bytes, view.slice(..bytes.len()));
        view.slice(bytes.len()..).fill(0);
        Some(())
    }

    /// Copies rows there, each to the beginning of as many bytes, with zeros behind it; and zeros behind the last one up to `bound` bytes.
    pub(super) fn upload_rows<'r>(
        &self,
        buffer: &wgpu::Buffer,
        place: u64,
        rows: impl Iterator<Item = &'r [u8]>,
        stride: usize,
        bound: u64,
    ) -> Option<()> {
        let mut view = self.0.queue.write_buffer_with(buffer, place, NonZeroU64::new(bound)?)?;
        copy::rows_up(rows, stride, view.slice(..));
        Some(())
    }

    /// The buffer that is kept there, made anew where it is too small; a large one is not kept.
    pub(super) fn working(&self, kept: &mut Option<wgpu::Buffer>, size: u64) -> wgpu::Buffer {
        if let Some(buffer) = kept.as_ref().filter(|buffer| buffer.size() >= size) {
            return buffer.clone();
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let buffer = self.buffer("working", self.rounded(size), usage, false);
        if size <= KEPT * LEAST.max(self.0.shard as u64) {
            *kept = Some(buffer.clone());
        }
        buffer
    }

    /// A buffer to read results from, one of the room's where one is large enough.
    pub(super) fn result(&self, room: &mut Room, size: u64) -> wgpu::Buffer {
        if let Some(index) = room.results.iter().position(|buffer| buffer.size() >= size) {
            return room.results.swap_remove(index);
        }
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        self.buffer("results", self.rounded(size), usage, false)
    }

    /// A size that serves batches a little longer too.
    fn rounded(&self, size: u64) -> u64 {
        size.max(LEAST).next_power_of_two().min(size.max(self.0.shard as u64).next_multiple_of(64))
    }

    pub(super) fn buffer(
        &self,
        label: &str,
        size: u64,
        usage: wgpu::BufferUsages,
        mapped: bool,
    ) -> wgpu::Buffer {
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: mapped };
        self.0.device.create_buffer(&descriptor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::GpuMode;
    use crate::gpu::{Setup, tests::open};
    use crate::stream::Span;

    #[test]
    fn nothing_of_a_batch_stays_on_the_gpu() {
        let Some(gpu) = open(GpuMode::Limb, Setup { shard: Some(8192), ..Setup::default() }) else { return };
        let span = Span { key: &[42; 32], id: 1, block: 0 };
        let mut data = vec![0x5555_5555_5555_5555u64; 3000];
        gpu.mask_add(&span, &mut data).unwrap();
        gpu.add(&mut data.clone(), &data).unwrap();
        let (buffers, read) = {
            let mut room = gpu.0.room.lock().unwrap();
            let working = [room.target.take().unwrap(), room.source.take().unwrap()];
            (working, std::mem::take(&mut room.results))
        };
        assert!(!read.is_empty());
        for buffer in buffers {
            let copy = gpu.buffer(
                "copy",
                buffer.size(),
                wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                false,
            );
            let mut encoder = gpu.encoder();
            encoder.copy_buffer_to_buffer(&buffer, 0, &copy, 0, Some(copy.size()));
            gpu.0.queue.submit([encoder.finish()]);
            assert!(is_zero(&gpu, &copy));
        }
        assert!(read.iter().all(|buffer| is_zero(&gpu, buffer)));
    }

    fn is_zero(gpu: &Gpu, buffer: &wgpu::Buffer) -> bool {
        buffer.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
        gpu.wait(None).unwrap();
        buffer.get_mapped_range(..).unwrap().iter().all(|byte| *byte == 0)
    }
}
