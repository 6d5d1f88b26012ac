//! The GPUs of this machine and how one is opened.

use super::fault::Fault;
use super::{Gpu, Setup, pipeline, selftest};
use crate::device::{DeviceError, GpuMode};
use veilgrid_shaders::SHADERS;

/// Most bytes of a vector in one dispatch. Every batch comes from host memory and goes back there, so a part is
/// copied while another is worked on; and memory for small parts is used again, where that for large ones is
/// fresh from the system each time.
const SHARD: u64 = 8 << 20;

/// A GPU, or software that acts as one.
pub(crate) struct Adapter {
    adapter: wgpu::Adapter,
    info: wgpu::AdapterInfo,
}

impl Adapter {
    /// Every Vulkan adapter, the strongest kind first and software last.
    pub(crate) fn all() -> Vec<Adapter> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::VULKAN,
            flags: wgpu::InstanceFlags::empty(),
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
        let mut adapters: Vec<Adapter> =
            found.into_iter().map(|adapter| Adapter { info: adapter.get_info(), adapter }).collect();
        adapters.sort_by_key(|adapter| match adapter.info.device_type {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::VirtualGpu => 1,
            wgpu::DeviceType::IntegratedGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
        });
        adapters
    }

    /// Every real GPU, in that order. Vulkan is not even loaded where the system shows none: software adapters
    /// take long to load, and their libraries write to standard error.
    pub(crate) fn hardware() -> Vec<Adapter> {
        if !system_has_gpu() {
            return Vec::new();
        }
        Adapter::real(Adapter::all())
    }

    /// Those that are no program on the CPU.
    pub(super) fn real(adapters: Vec<Adapter>) -> Vec<Adapter> {
        adapters.into_iter().filter(|adapter| !adapter.is_software()).collect()
    }

    /// Whether it is a program on the CPU.
    fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// As its driver calls it.
    pub(super) fn name(&self) -> &str {
        &self.info.name
    }

    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    fn kind(&self) -> &'static str {
        match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other => "other",
        }
    }

    /// What a listing says of it, each as name and value.
    pub(crate) fn facts(&self) -> Vec<(String, String)> {
        let limits = self.adapter.limits();
        let mebibytes = |bytes: u64| format!("{} MiB", bytes >> 20);
        let facts = [
            ("kind", self.kind().to_owned()),
            ("backend", self.info.backend.to_string()),
            ("driver", format!("{} {}", self.info.driver, self.info.driver_info).trim().to_owned()),
            ("largest buffer", mebibytes(limits.max_buffer_size)),
            ("largest binding", mebibytes(limits.max_storage_buffer_binding_size)),
        ];
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The modes it can run, the faster one first.
    pub(crate) fn modes(&self) -> Vec<GpuMode> {
        let native = self.adapter.features().contains(wgpu::Features::SHADER_INT64);
        if native { vec![GpuMode::Native, GpuMode::Limb] } else { vec![GpuMode::Limb] }
    }

    /// Opens it in `mode` and tests every kernel.
    pub(crate) fn open(&self, mode: GpuMode) -> Result<Gpu, DeviceError> {
        self.open_with(mode, Setup::default())
    }

    /// As [`Adapter::open`], with what only tests change.
    pub(super) fn open_with(&self, mode: GpuMode, setup: Setup) -> Result<Gpu, DeviceError> {
        let refused = |problem: String| DeviceError::NoGpu { problem: format!("{}: {problem}", self.name()) };
        if !self.modes().contains(&mode) {
            return Err(refused("its shaders have no 64-bit integers; open it in limb mode".to_owned()));
        }
        let limits = self.adapter.limits();
        let (device, queue) = pollster::block_on(self.adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("veilgrid"),
            required_features: match mode {
                GpuMode::Limb => wgpu::Features::empty(),
                GpuMode::Native => wgpu::Features::SHADER_INT64,
            },
            // Without this a device has the least limits that any GPU has.
            required_limits: limits.clone(),
            ..wgpu::DeviceDescriptor::default()
        }))
        .map_err(|error| refused(error.to_string()))?;
        let fault = Fault::listen(&device);

        let shaders = setup.shaders.unwrap_or(SHADERS).iter().filter(|shader| shader.mode == mode.into());
        let pipelines = pipeline::compile(&device, &fault, shaders, setup.checks).map_err(refused)?;
        let sizes =
            [shard(&limits, setup.shard.unwrap_or(SHARD)), shard(&limits, setup.binding.unwrap_or(u64::MAX))];
        let gpu = Gpu::new(self.describe(mode), device, queue, fault, pipelines, sizes);
        match selftest::fault(&gpu) {
            None => Ok(gpu),
            Some(kernel) => Err(DeviceError::SelfTest { device: self.describe(mode), family: kernel }),
        }
    }

    /// As the device describes itself: `gpu "llvmpipe" native64, software`.
    pub(crate) fn describe(&self, mode: GpuMode) -> String {
        let mode = match mode {
            GpuMode::Limb => "limb32",
            GpuMode::Native => "native64",
        };
        let software = if self.is_software() { ", software" } else { "" };
        format!("gpu {:?} {mode}{software}", self.name())
    }
}

/// Whether the kernel of the system has a device file that a GPU driver opens. Systems other than Linux are
/// not asked.
fn system_has_gpu() -> bool {
    const DIRECT_RENDERING: &str = "/dev/dri";
    const OTHERS: [&str; 3] = ["/dev/nvidiactl", "/dev/dxg", "/dev/kfd"];
    !cfg!(target_os = "linux")
        || std::fs::read_dir(DIRECT_RENDERING).is_ok_and(|mut files| files.next().is_some())
        || OTHERS.iter().any(|path| std::path::Path::new(path).exists())
}

/// Bytes of a vector that one dispatch takes: whole groups of noise, and no more than a binding, a buffer or
/// the number of workgroups allows. The smallest workgroup is one of 64 invocations of 64 bytes.
fn shard(limits: &wgpu::Limits, most: u64) -> usize {
    let groups = u64::from(limits.max_compute_workgroups_per_dimension) * 64 * 64;
    let least = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(groups);
    (least.min(most) / 64 * 64) as usize
}
