//! Bit vectors and bit planes on the GPU.

use super::Gpu;
use super::buffer::Job;
use super::params::Params;
use crate::KernelError;

impl Gpu {
    /// `acc[i] ^= other[i]`; the slices are of one length, here and below.
    pub(crate) fn xor(&self, acc: &mut [u64], other: &[u64]) -> Result<(), KernelError> {
        self.zip("bits_xor", acc, other)
    }

    /// `acc[i] &= other[i]`.
    pub(crate) fn and(&self, acc: &mut [u64], other: &[u64]) -> Result<(), KernelError> {
        self.zip("bits_and", acc, other)
    }

    /// Inverts every bit.
    pub(crate) fn not(&self, words: &mut [u64]) -> Result<(), KernelError> {
        let job = Job::tiled("bits_not", Params::new(), size_of_val(words));
        self.change(job, bytemuck::cast_slice_mut(words))
    }

    /// How many bits are set: one total a workgroup there, the sum of those here.
    pub(crate) fn ones(&self, words: &[u64]) -> Result<u64, KernelError> {
        if words.is_empty() {
            return Ok(0);
        }
        self.run(&Job::sum("bits_ones", bytemuck::cast_slice(words)))?.total()
    }

    /// `out[i]` = `high[i] << by | low[i] >> (64 - by)` for `by` from 1 to 63.
    pub(crate) fn funnel(
        &self,
        high: &[u64],
        low: &[u64],
        by: u32,
        out: &mut [u64],
    ) -> Result<(), KernelError> {
        let job = Job {
            source: Some(bytemuck::cast_slice(low)),
            ..Job::tiled("bits_funnel", Params::bits(by), size_of_val(high))
        };
        self.fill(job.over(bytemuck::cast_slice(high)), bytemuck::cast_slice_mut(out))
    }

    /// The planes of each part, of which the caller's take the columns.
    pub(crate) fn to_planes(&self, values: &[u64], planes: &mut [u64]) -> Result<(), KernelError> {
        if values.is_empty() {
            return Ok(());
        }
        let job = Job::tiled("bits_to_planes", Params::new(), size_of_val(values));
        self.run(&Job { source: Some(bytemuck::cast_slice(values)), ..job })?.write_planes(planes)
    }

    /// The other way.
    pub(crate) fn integers_of(&self, planes: &[u64], values: &mut [u64]) -> Result<(), KernelError> {
        let job = Job::tiled("bits_from_planes", Params::new(), size_of_val(values));
        self.fill(Job { planes: Some(planes), ..job }, bytemuck::cast_slice_mut(values))
    }
}
