//! What computes the batches, how it is chosen, and what it says of itself.

use crate::cpu::{Arch, Cpu, Level};
#[cfg(feature = "gpu")]
use crate::gpu::{Adapter, Gpu};
use crate::selftest;

/// Environment variable that forces the vector level of the CPU: `scalar`, `avx2`, `avx512`, `ifma` or `amx`.
pub const LEVEL_VARIABLE: &str = "VEILGRID_LEVEL";

/// A CPU at one vector level, or a GPU, that has passed its self-test. Cheap to clone; usable from any thread.
#[derive(Clone)]
pub struct Device {
    backend: Backend,
}

/// Where a family sends its batches.
#[derive(Clone)]
pub(crate) enum Backend {
    Cpu(Cpu),
    #[cfg(feature = "gpu")]
    Gpu(Gpu),
}

/// Which device to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// A real GPU that passes its self-test, else the CPU. Never a software adapter.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The best GPU, software that acts as one if there is no other, or an error.
    Gpu,
}

/// How a GPU computes with 64-bit elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GpuMode {
    /// Pairs of 32-bit words: any GPU.
    Limb,
    /// 64-bit integers in the shader, where the adapter has them.
    Native,
}

/// One device of this machine, for a listing.
#[derive(Clone)]
pub struct DeviceInfo {
    /// As [`Device::describe`] would say.
    pub name: String,
    /// Limits that matter to large batches, each as name and value.
    pub limits: Vec<(String, String)>,
    /// What the self-test found wrong; `None`: it passed.
    pub fault: Option<String>,
    device: Option<Device>,
}

/// Why no device was opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The environment asks for a level that does not exist.
    #[error(
        "{LEVEL_VARIABLE} is {given:?}; use scalar, avx2, avx512, ifma or amx, or unset it for the best that the CPU has"
    )]
    UnknownLevel {
        /// What the variable says.
        given: String,
    },
    /// The CPU lacks the level that was asked for.
    #[error(
        "this CPU has no {level}, or its system does not permit it; use {best} or lower, or unset {LEVEL_VARIABLE}"
    )]
    Unsupported {
        /// What was asked for.
        level: Level,
        /// The best that the CPU has.
        best: Level,
    },
    /// The device computes wrong bits.
    #[error(
        "{device} is refused: its self-test gave wrong bits in {family}; update its driver or use another device"
    )]
    SelfTest {
        /// The device, as it describes itself.
        device: String,
        /// The family of kernels that failed.
        family: &'static str,
    },
    /// There is no usable GPU.
    #[error("no GPU can be used: {problem}; ask for the CPU, or for auto")]
    NoGpu {
        /// Why not.
        problem: String,
    },
}

impl Device {
    /// The CPU at its best level, or at the one that `VEILGRID_LEVEL` forces.
    ///
    /// # Errors
    /// An unknown level, one that the CPU lacks, or a failed self-test.
    pub fn cpu() -> Result<Device, DeviceError> {
        Device::cpu_at(Level::from_environment(std::env::var_os(LEVEL_VARIABLE).as_deref())?)
    }

    /// The CPU at one level.
    ///
    /// # Errors
    /// The CPU lacks the level, or its self-test fails.
    pub fn cpu_at(level: Level) -> Result<Device, DeviceError> {
        let arch = Arch::new(level).ok_or(DeviceError::Unsupported { level, best: Level::best() })?;
        Device { backend: Backend::Cpu(Cpu::new(arch)) }.tested()
    }

    /// Opens the device that the caller prefers.
    ///
    /// # Errors
    /// As [`Device::cpu`]; and [`DeviceError::NoGpu`] where a GPU is demanded.
    pub fn open(choice: Choice) -> Result<Device, DeviceError> {
        match choice {
            Choice::Cpu => Device::cpu(),
            Choice::Gpu => Device::gpu(None),
            #[cfg(feature = "gpu")]
            Choice::Auto => Adapter::hardware()
                .iter()
                .find_map(|adapter| adapter.open(adapter.modes()[0]).ok())
                .map_or_else(Device::cpu, |gpu| Ok(gpu.into())),
            #[cfg(not(feature = "gpu"))]
            Choice::Auto => Device::cpu(),
        }
    }

    /// The best GPU in `mode`, or in the fastest mode it has. Software that acts as a GPU is taken only where
    /// there is no other.
    ///
    /// # Errors
    /// There is no GPU, it lacks the mode, or its self-test fails.
    #[cfg(feature = "gpu")]
    pub fn gpu(mode: Option<GpuMode>) -> Result<Device, DeviceError> {
        let adapters = Adapter::all();
        let best = adapters.first().ok_or_else(|| DeviceError::NoGpu {
            problem: "no Vulkan driver shows one; install its driver and the Vulkan loader".to_owned(),
        })?;
        best.open(mode.unwrap_or(best.modes()[0])).map(Device::from)
    }

    /// An error: this build has no GPU support.
    ///
    /// # Errors
    /// Always [`DeviceError::NoGpu`].
    #[cfg(not(feature = "gpu"))]
    pub fn gpu(_mode: Option<GpuMode>) -> Result<Device, DeviceError> {
        Err(DeviceError::NoGpu { problem: "this build has no GPU support".to_owned() })
    }

    /// Every device of this machine: each level of the CPU, then each GPU in each of its modes. All are tested.
    pub fn list() -> Vec<DeviceInfo> {
        let levels = Level::ALL.into_iter().filter(|level| Arch::new(*level).is_some());
        let cpus = levels.map(DeviceInfo::of_cpu);
        #[cfg(feature = "gpu")]
        let gpus = Adapter::all().into_iter().flat_map(|adapter| {
            adapter.modes().into_iter().map(|mode| DeviceInfo::of_gpu(&adapter, mode)).collect::<Vec<_>>()
        });
        #[cfg(not(feature = "gpu"))]
        let gpus = std::iter::empty();
        cpus.chain(gpus).collect()
    }

    /// The device in a few words: `cpu avx2`.
    pub fn describe(&self) -> String {
        match &self.backend {
            Backend::Cpu(arch) => format!("cpu {}", arch.level()),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.describe().to_owned(),
        }
    }

    /// The same device, whose batches use at most `threads` threads of the CPU, the caller's among them; 0 is taken
    /// for 1. A GPU stays as it is.
    ///
    /// The default is [`std::thread::available_parallelism`], which knows the process's affinity and its cgroup's
    /// quota. A batch that takes less than about 0.1 ms is never cut, whatever the number, and the bits do not depend
    /// on it. The threads are shared by all devices of the process and sleep while there is no long batch.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Device {
        match self.backend {
            Backend::Cpu(cpu) => Device { backend: Backend::Cpu(cpu.with_threads(threads)) },
            #[cfg(feature = "gpu")]
            Backend::Gpu(_) => self,
        }
    }

    /// Threads of the CPU that a batch may use; 1 for a GPU.
    pub fn threads(&self) -> usize {
        match &self.backend {
            Backend::Cpu(cpu) => cpu.threads(),
            #[cfg(feature = "gpu")]
            Backend::Gpu(_) => 1,
        }
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Whether a buffer of one can be used by the other.
    pub(crate) fn shares_memory_with(&self, other: &Device) -> bool {
        match (&self.backend, &other.backend) {
            (Backend::Cpu(_), Backend::Cpu(_)) => true,
            #[cfg(feature = "gpu")]
            (Backend::Gpu(gpu), Backend::Gpu(other)) => gpu.is(other),
            #[cfg(feature = "gpu")]
            _ => false,
        }
    }

    /// Itself, if it computes the right bits.
    fn tested(self) -> Result<Device, DeviceError> {
        match selftest::fault(&self) {
            None => Ok(self),
            Some(family) => Err(DeviceError::SelfTest { device: self.describe(), family }),
        }
    }
}

#[cfg(feature = "gpu")]
impl From<Gpu> for Device {
    fn from(gpu: Gpu) -> Device {
        Device { backend: Backend::Gpu(gpu) }
    }
}

impl DeviceInfo {
    fn of_cpu(level: Level) -> DeviceInfo {
        let limits = vec![("vector bits".to_owned(), level.vector_bits().to_string())];
        DeviceInfo::of(format!("cpu {level}"), limits, Device::cpu_at(level))
    }

    #[cfg(feature = "gpu")]
    fn of_gpu(adapter: &Adapter, mode: GpuMode) -> DeviceInfo {
        DeviceInfo::of(adapter.describe(mode), adapter.facts(), adapter.open(mode).map(Device::from))
    }

    fn of(name: String, limits: Vec<(String, String)>, opened: Result<Device, DeviceError>) -> DeviceInfo {
        let fault = opened.as_ref().err().map(ToString::to_string);
        DeviceInfo { name, limits, fault, device: opened.ok() }
    }

    /// The device itself, open; `None` where there is a fault.
    pub fn device(&self) -> Option<&Device> {
        self.device.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn a_forced_level_is_obeyed_or_refused() {
        assert_eq!(Level::from_environment(None), Ok(Level::best()));
        assert_eq!(Level::from_environment(Some(OsStr::new("scalar"))), Ok(Level::Scalar));
        assert_eq!(Level::from_environment(Some(OsStr::new("avx2"))), Ok(Level::Avx2));
        let unknown = Level::from_environment(Some(OsStr::new("sse9"))).unwrap_err();
        assert_eq!(unknown, DeviceError::UnknownLevel { given: "sse9".to_owned() });
        assert!(unknown.to_string().contains("scalar, avx2, avx512, ifma or amx"));
    }

    #[test]
    fn every_listed_device_passes_its_self_test() {
        let devices = Device::list();
        assert_eq!(devices[0].name, "cpu scalar");
        assert!(devices.iter().all(|device| device.fault.is_none()));
    }

    #[test]
    fn a_level_that_the_cpu_lacks_is_refused_by_name() {
        for level in Level::ALL {
            match Device::cpu_at(level) {
                Ok(device) => assert_eq!(device.describe(), format!("cpu {level}")),
                Err(error) => assert!(error.to_string().contains(&level.to_string())),
            }
        }
    }
}
