//! The operations, each one job. A span that is not empty lies within its stream: the stream saw to that.

use super::Gpu;
use super::buffer::Job;
use super::params::Params;
use crate::fixed::Role;
use crate::stream::{BLOCK, Span};
use crate::{Fixed, KernelError, Word};

/// Bytes of a vector.
pub(super) const VECTOR: usize = 16;
/// Invocations of a workgroup that takes a tile, and vectors of each.
const TILE: [u32; 2] = [64, 4];
/// Bytes of a tile.
pub(super) const TILE_BYTES: usize = (TILE[0] * TILE[1]) as usize * VECTOR;
/// The same of a sum.
const SUM: [u32; 2] = [64, 16];

/// The kernel for an element type.
pub(super) fn of<T: Word>(u32: &'static str, u64: &'static str) -> &'static str {
    if size_of::<T>() == size_of::<u32>() { u32 } else { u64 }
}

impl<'a> Job<'a> {
    /// A kernel whose invocations take one unit each and write binding 1.
    pub(super) fn new(kernel: &'static str, params: Params, len: usize, unit: usize) -> Job<'a> {
        Job {
            kernel,
            params,
            len,
            unit,
            together: unit,
            lanes: 1,
            blocks: 0,
            target: None,
            source: None,
            second: None,
            passes: 1,
            totals: false,
            planes: None,
            whole: None,
        }
    }

    /// A kernel whose workgroups take a tile each (`shaders/shared/tile.wgsl`).
    pub(super) fn tiled(kernel: &'static str, params: Params, len: usize) -> Job<'a> {
        Job { lanes: TILE[0], ..Job::new(kernel, params, len, TILE_BYTES) }
    }

    /// A kernel that gives one total of each tile of `values`.
    pub(super) fn sum(kernel: &'static str, values: &'a [u8]) -> Job<'a> {
        let [lanes, vectors] = SUM;
        let job = Job::new(kernel, Params::new(), values.len(), (lanes * vectors) as usize * VECTOR);
        Job { lanes, source: Some(values), totals: true, ..job }
    }

    /// A kernel that takes `blocks` blocks of keystream for each 64 bytes.
    pub(super) fn expanding(kernel: &'static str, params: Params, len: usize, blocks: u64) -> Job<'a> {
        Job { blocks, ..Job::new(kernel, params, len, BLOCK) }
    }

    /// With what binding 1 holds before.
    pub(super) fn over(self, target: &'a [u8]) -> Job<'a> {
        Job { target: Some(target), ..self }
    }
}

pub(super) fn stream(span: &Span<'_>) -> Params {
    Params::stream(span.key, span.id, span.block)
}

impl Gpu {
    /// `acc[i] += other[i]`; the slices are of one length, here and below.
    pub(crate) fn add<T: Word>(&self, acc: &mut [T], other: &[T]) -> Result<(), KernelError> {
        self.zip(of::<T>("ring_add_u32", "ring_add_u64"), acc, other)
    }

    /// `acc[i] -= other[i]`.
    pub(crate) fn sub<T: Word>(&self, acc: &mut [T], other: &[T]) -> Result<(), KernelError> {
        self.zip(of::<T>("ring_sub_u32", "ring_sub_u64"), acc, other)
    }

    /// `acc[i] *= other[i]`.
    pub(crate) fn mul<T: Word>(&self, acc: &mut [T], other: &[T]) -> Result<(), KernelError> {
        self.zip(of::<T>("ring_mul_u32", "ring_mul_u64"), acc, other)
    }

    /// The sum of all elements: one total a workgroup there, the sum of those here.
    pub(crate) fn sum<T: Word>(&self, values: &[T]) -> Result<T, KernelError> {
        if values.is_empty() {
            return Ok(T::ZERO);
        }
        let kernel = of::<T>("ring_sum_u32", "ring_sum_u64");
        self.run(&Job::sum(kernel, bytemuck::cast_slice(values)))?.total()
    }

    /// Writes the keystream from the first byte of the span on.
    pub(crate) fn keystream(&self, span: &Span<'_>, out: &mut [u8]) -> Result<(), KernelError> {
        self.fill(Job::expanding("chacha_keystream", stream(span), out.len(), 1), out)
    }

    /// `data[i] += word[i]` of the span.
    pub(crate) fn mask_add<T: Word>(&self, span: &Span<'_>, data: &mut [T]) -> Result<(), KernelError> {
        self.mask(of::<T>("mask_add_u32", "mask_add_u64"), span, data)
    }

    /// `data[i] -= word[i]` of the span.
    pub(crate) fn mask_sub<T: Word>(&self, span: &Span<'_>, data: &mut [T]) -> Result<(), KernelError> {
        self.mask(of::<T>("mask_sub_u32", "mask_sub_u64"), span, data)
    }

    /// Fixed point of `values`.
    pub(crate) fn encode(&self, values: &[f64], format: Fixed, out: &mut [i64]) -> Result<(), KernelError> {
        let job = Job::tiled("fixed_encode", Params::format(format), size_of_val(values));
        self.fill(job.over(bytemuck::cast_slice(values)), bytemuck::cast_slice_mut(out))
    }

    /// Real numbers of `values`.
    pub(crate) fn decode(
        &self,
        values: &[i64],
        fraction_bits: u32,
        out: &mut [f64],
    ) -> Result<(), KernelError> {
        let params = Params::bits(fraction_bits);
        let job = Job::tiled("fixed_decode", params, size_of_val(values));
        self.fill(job.over(bytemuck::cast_slice(values)), bytemuck::cast_slice_mut(out))
    }

    /// Shares divided by `2^bits`, their negatives where `sign` has all bits set.
    pub(crate) fn truncate(&self, share: &mut [u64], bits: u32, sign: u64) -> Result<(), KernelError> {
        let params = Params::truncation(bits, sign);
        let job = Job::tiled("fixed_truncate", params, size_of_val(share));
        self.change(job, bytemuck::cast_slice_mut(share))
    }

    /// What was opened, divided by `2^bits` by the first party and 0 for others, less its share of the mask's part.
    pub(crate) fn truncate_opened(
        &self,
        opened: &mut [u64],
        mask_high: &[u64],
        bits: u32,
        role: Role,
    ) -> Result<(), KernelError> {
        let kept = if role == Role::First { u64::MAX } else { 0 };
        let params = Params::truncation(bits, kept);
        let job = Job::tiled("fixed_truncate_opened", params, size_of_val(opened));
        let job = Job { source: Some(bytemuck::cast_slice(mask_high)), ..job };
        let opened = bytemuck::cast_slice_mut(opened);
        match role {
            Role::First => self.change(job, opened),
            Role::Other => self.fill(job, opened),
        }
    }

    fn mask<T: Word>(
        &self,
        kernel: &'static str,
        span: &Span<'_>,
        data: &mut [T],
    ) -> Result<(), KernelError> {
        self.change(
            Job::expanding(kernel, stream(span), size_of_val(data), 1),
            bytemuck::cast_slice_mut(data),
        )
    }

    pub(super) fn zip<T: Word>(
        &self,
        kernel: &'static str,
        acc: &mut [T],
        other: &[T],
    ) -> Result<(), KernelError> {
        let job = Job::tiled(kernel, Params::new(), size_of_val(acc));
        let job = Job { source: Some(bytemuck::cast_slice(other)), ..job };
        self.change(job, bytemuck::cast_slice_mut(acc))
    }

    /// Runs a job on `data`, in place.
    pub(super) fn change(&self, job: Job<'_>, data: &mut [u8]) -> Result<(), KernelError> {
        if data.is_empty() {
            return Ok(());
        }
        // The results come with no hold on what they were made from, so that they can take its place.
        let results = self.run(&job.over(data))?;
        results.write_to(data)
    }

    /// Runs a job that writes `out`.
    pub(super) fn fill(&self, job: Job<'_>, out: &mut [u8]) -> Result<(), KernelError> {
        if out.is_empty() {
            return Ok(());
        }
        self.run(&job)?.write_to(out)
    }
}
