//! Batches on a GPU through wgpu and Vulkan. Every operation takes host slices and gives host slices, except chains,
//! which work on resident vectors.

mod adapter;
mod bits;
mod buffer;
mod chain;
mod copy;
mod fault;
mod field;
mod fused;
mod matmul;
mod noise;
mod ntt;
mod ops;
mod panel;
mod params;
mod pipeline;
mod queue;
mod resident;
mod results;
mod selftest;
mod shamir;
#[cfg(test)]
mod tests;

pub(crate) use adapter::Adapter;
pub(crate) use resident::Resident;

use crate::device::GpuMode;
use fault::Fault;
use pipeline::Pipeline;
use std::sync::{Arc, Mutex};
use veilgrid_shaders::{Mode, Shader};

impl From<GpuMode> for Mode {
    fn from(mode: GpuMode) -> Mode {
        match mode {
            GpuMode::Limb => Mode::Limb,
            GpuMode::Native => Mode::Native,
        }
    }
}

/// An open GPU whose kernels have given the right bits. Cheap to clone; batches of all clones take turns.
#[derive(Clone)]
pub(crate) struct Gpu(Arc<Inner>);

struct Inner {
    name: String,
    device: wgpu::Device,
    queue: wgpu::Queue,
    fault: Fault,
    pipelines: Vec<Pipeline>,
    /// Most bytes of a vector in one dispatch.
    shard: usize,
    /// Most bytes of a part of a resident vector.
    binding: usize,
    room: Mutex<buffer::Room>,
}

/// What tests change about an opening.
#[derive(Default)]
struct Setup {
    /// Compile the shaders with wgpu's run-time checks.
    checks: bool,
    /// Most bytes of a vector in one dispatch.
    shard: Option<u64>,
    /// Most bytes of a part of a resident vector.
    binding: Option<u64>,
    /// Shaders in place of ours.
    shaders: Option<&'static [Shader]>,
}

impl Gpu {
    fn new(
        name: String,
        device: wgpu::Device,
        queue: wgpu::Queue,
        fault: Fault,
        pipelines: Vec<Pipeline>,
        [shard, binding]: [usize; 2],
    ) -> Gpu {
        let room = Mutex::default();
        Gpu(Arc::new(Inner { name, device, queue, fault, pipelines, shard, binding, room }))
    }

    /// Whether both are the same open device.
    pub(crate) fn is(&self, other: &Gpu) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Most bytes of a vector in one dispatch.
    fn shard(&self) -> usize {
        self.0.shard
    }

    /// Most bytes of a part of a resident vector.
    fn binding(&self) -> usize {
        self.0.binding
    }

    /// The adapter and the mode: `gpu "NVIDIA H100" native64`.
    pub(crate) fn describe(&self) -> &str {
        &self.0.name
    }
}
