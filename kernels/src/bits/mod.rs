//! Bit vectors and bit planes: what protocols on XOR shares compute between their rounds.
//!
//! A bit vector is packed into words: bit `i` is bit `i mod 64` of word `i / 64`. The 64 *planes* of `n` integers are
//! such vectors of `ceil(n / 64)` words each, one after the other: plane `j` holds bit `j` of every integer. Bits after
//! the last integer are 0 when planes are made and ignored when they are read.
//!
//! XOR, and AND with a public vector, of shares are local: each party does the same. To invert a shared bit, one
//! party inverts its share. An AND of two shared vectors is the protocol's own; [`Adder`] and [`Carry`] say which go
//! into one.

mod adder;
mod carry;

pub use adder::Adder;
pub use carry::Carry;

use crate::cpu::Grid;
use crate::cpu::bits::{And, Funnel, Not, Ones, Xor};
use crate::cpu::planes::{FromPlanes, ToPlanes};
use crate::cpu::ring::Zip;
use crate::device::Backend;
use crate::error::{same_length, sized};
use crate::{Device, KernelError};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Shares that go into a secure AND, word by word: the protocol multiplies `left[i]` by `right[i]`. Wiped when
/// dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct AndInputs {
    /// One side.
    pub left: Vec<u64>,
    /// The other, of the same length.
    pub right: Vec<u64>,
}

/// `acc[i] ^= other[i]`.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn xor(device: &Device, acc: &mut [u64], other: &[u64]) -> Result<(), KernelError> {
    same_length("bits::xor", acc.len(), other.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Zip { operation: Xor, acc, other }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.xor(acc, other)?,
    }
    Ok(())
}

/// `acc[i] &= other[i]`.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn and(device: &Device, acc: &mut [u64], other: &[u64]) -> Result<(), KernelError> {
    same_length("bits::and", acc.len(), other.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Zip { operation: And, acc, other }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.and(acc, other)?,
    }
    Ok(())
}

/// Inverts every bit.
///
/// # Errors
/// A GPU that fails.
pub fn not(device: &Device, words: &mut [u64]) -> Result<(), KernelError> {
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Not { words }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.not(words)?,
    }
    Ok(())
}

/// How many bits are set.
///
/// # Errors
/// A GPU that fails.
pub fn ones(device: &Device, words: &[u64]) -> Result<u64, KernelError> {
    match device.backend() {
        Backend::Cpu(arch) => Ok(arch.spread(Ones { words })),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.ones(words),
    }
}

/// Writes the vector moved by `by` bits towards higher places: bit `i` of `out` is bit `i - by`, or 0 where there is
/// none. What goes past the last word is lost. `by` is public.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn shift_left(device: &Device, words: &[u64], by: usize, out: &mut [u64]) -> Result<(), KernelError> {
    same_length("bits::shift_left", out.len(), words.len())?;
    let kept = words.len() - (by / 64).min(words.len());
    let (zeros, out) = out.split_at_mut(words.len() - kept);
    // The first word has nothing below it.
    let high = &words[..kept];
    match (high.split_first(), out.split_first_mut(), by % 64) {
        (Some((first, high)), Some((out_first, out)), rest @ 1..) => {
            funnel(device, high, &words[..kept - 1], rest as u32, out)?;
            *out_first = first << rest;
        }
        _ => out.copy_from_slice(high),
    }
    zeros.fill(0);
    Ok(())
}

/// Writes the vector moved by `by` bits towards lower places: bit `i` of `out` is bit `i + by`, or 0 where there is
/// none. `by` is public.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn shift_right(device: &Device, words: &[u64], by: usize, out: &mut [u64]) -> Result<(), KernelError> {
    same_length("bits::shift_right", out.len(), words.len())?;
    let kept = words.len() - (by / 64).min(words.len());
    let (out, zeros) = out.split_at_mut(kept);
    // The last word has nothing above it.
    let low = &words[words.len() - kept..];
    match (low.split_last(), out.split_last_mut(), by % 64) {
        (Some((last, low)), Some((out_last, out)), rest @ 1..) => {
            funnel(device, &words[words.len() - kept + 1..], low, 64 - rest as u32, out)?;
            *out_last = last >> rest;
        }
        _ => out.copy_from_slice(low),
    }
    zeros.fill(0);
    Ok(())
}

/// `out[i]` = `high[i] << by | low[i] >> (64 - by)` for `by` from 1 to 63; the slices are of one length.
fn funnel(device: &Device, high: &[u64], low: &[u64], by: u32, out: &mut [u64]) -> Result<(), KernelError> {
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Funnel { high, low, by, out }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.funnel(high, low, by, out)?,
    }
    Ok(())
}

/// Words of one plane of `values` integers.
pub fn plane_words(values: usize) -> usize {
    values.div_ceil(64)
}

/// Writes the 64 planes of `values`: `64 * plane_words(values.len())` words.
///
/// # Errors
/// [`KernelError::Size`], or a GPU that fails.
pub fn to_planes(device: &Device, values: &[u64], planes: &mut [u64]) -> Result<(), KernelError> {
    sized("bits::to_planes", "planes", planes.len(), 64 * plane_words(values.len()))?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(ToPlanes { values, planes: Grid::new(planes, 64) }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.to_planes(values, planes)?,
    }
    Ok(())
}

/// Writes the integers whose 64 planes are given: `64 * plane_words(values.len())` words.
///
/// # Errors
/// [`KernelError::Size`], or a GPU that fails.
pub fn from_planes(device: &Device, planes: &[u64], values: &mut [u64]) -> Result<(), KernelError> {
    sized("bits::from_planes", "planes", planes.len(), 64 * plane_words(values.len()))?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(FromPlanes { planes, stride: planes.len() / 64, values }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.integers_of(planes, values)?,
    }
    Ok(())
}
