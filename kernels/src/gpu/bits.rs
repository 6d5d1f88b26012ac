//! Bit vectors and bit planes on the GPU.

use super::Gpu;
use super::buffer::Job;
use super::ops::TILE_BYTES;
use super::params::Params;
use crate::KernelError;
use crate::bits::plane_words;
use zeroize::Zeroizing;

/// Words of one transpose.
const SIDE: usize = 64;

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

    /// Transposes there; the words of each plane are put together here.
    pub(crate) fn to_planes(&self, values: &[u64], planes: &mut [u64]) -> Result<(), KernelError> {
        let plane = plane_words(values.len());
        let mut blocks = Zeroizing::new(vec![0; planes.len()]);
        blocks[..values.len()].copy_from_slice(values);
        self.transpose(&mut blocks)?;
        for (i, block) in blocks.chunks_exact(SIDE).enumerate() {
            for (j, word) in block.iter().enumerate() {
                planes[j * plane + i] = *word;
            }
        }
        Ok(())
    }

    /// The other way.
    pub(crate) fn integers_of(&self, planes: &[u64], values: &mut [u64]) -> Result<(), KernelError> {
        let plane = plane_words(values.len());
        let mut blocks = Zeroizing::new(vec![0; planes.len()]);
        for (i, block) in blocks.chunks_exact_mut(SIDE).enumerate() {
            for (j, word) in block.iter_mut().enumerate() {
                *word = planes[j * plane + i];
            }
        }
        self.transpose(&mut blocks)?;
        values.copy_from_slice(&blocks[..values.len()]);
        Ok(())
    }

    /// Transposes blocks of 64 words, in place.
    fn transpose(&self, blocks: &mut [u64]) -> Result<(), KernelError> {
        // Blocks are whole in a tile.
        const { assert!(TILE_BYTES.is_multiple_of(SIDE * size_of::<u64>())) };
        let job = Job::tiled("bits_transpose", Params::new(), size_of_val(blocks));
        self.change(job, bytemuck::cast_slice_mut(blocks))
    }
}
