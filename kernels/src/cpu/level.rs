//! The vector levels and how a kernel is run at one.

use super::IntSimd;
#[cfg(target_arch = "x86_64")]
use super::amx::Tiles;
#[cfg(target_arch = "x86_64")]
use super::matmul::Ifma;
use crate::DeviceError;
use std::ffi::OsStr;
use std::fmt;
#[cfg(target_arch = "x86_64")]
use std::sync::LazyLock;

/// What the CPU's vector units are taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Plain code for any CPU, one element at a time.
    Scalar,
    /// 256-bit vectors (x86-64-v3).
    Avx2,
    /// 512-bit vectors (x86-64-v4).
    Avx512,
    /// As [`Level::Avx512`], and products of matrices of integers by 52-bit multiply-adds (AVX-512 IFMA).
    Ifma,
    /// As [`Level::Ifma`], and large ones on AMX's tiles of bytes (AMX-INT8), which Linux must permit.
    Amx,
}

impl Level {
    /// All levels, the plainest first.
    pub const ALL: [Level; 5] = [Level::Scalar, Level::Avx2, Level::Avx512, Level::Ifma, Level::Amx];

    /// The fastest that this CPU has: the last of [`Level::ALL`], but for [`Level::Ifma`] on AMD's, which multiply whole lanes as fast as
    /// parts of them.
    pub fn best() -> Level {
        let is_best = |level: &Level| Arch::new(*level).is_some() && !(*level == Level::Ifma && is_amd());
        Level::ALL.into_iter().rev().find(is_best).unwrap_or(Level::Scalar)
    }

    /// Width of a vector register, in bits.
    pub fn vector_bits(self) -> u32 {
        match self {
            Level::Scalar => 64,
            Level::Avx2 => 256,
            Level::Avx512 | Level::Ifma | Level::Amx => 512,
        }
    }

    /// The level that the environment asks for, or the best.
    pub(crate) fn from_environment(value: Option<&OsStr>) -> Result<Level, DeviceError> {
        let Some(value) = value else { return Ok(Level::best()) };
        Level::ALL
            .into_iter()
            .find(|level| value == OsStr::new(level.name()))
            .ok_or_else(|| DeviceError::UnknownLevel { given: value.to_string_lossy().into_owned() })
    }

    fn name(self) -> &'static str {
        match self {
            Level::Scalar => "scalar",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
            Level::Ifma => "ifma",
            Level::Amx => "amx",
        }
    }
}

/// Whether the CPU is one of AMD's, or of a maker that took its design over (CPUID, leaf 0).
#[cfg(target_arch = "x86_64")]
fn is_amd() -> bool {
    // On a virtual machine the instruction takes as long as a short batch.
    static IS_AMD: LazyLock<bool> = LazyLock::new(|| {
        let leaf = std::arch::x86_64::__cpuid(0);
        let words = [leaf.ebx, leaf.edx, leaf.ecx].map(u32::to_le_bytes);
        matches!(words.as_flattened(), b"AuthenticAMD" | b"HygonGenuine")
    });
    *IS_AMD
}

#[cfg(not(target_arch = "x86_64"))]
fn is_amd() -> bool {
    false
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A level that this CPU has: the tokens are the proof.
#[derive(Clone, Copy)]
pub(crate) enum Arch {
    Scalar(pulp::Scalar),
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "x86_64")]
    Ifma(Ifma),
    #[cfg(target_arch = "x86_64")]
    Amx(Tiles),
}

/// A batch to compute: its arguments, and a body that is generic over the vector level.
///
/// The body and all that it calls are `#[inline(always)]`: a function that is not inlined, or a closure,
/// is compiled without the level's instructions.
pub(crate) trait Kernel {
    type Output;

    fn run<S: IntSimd>(self, simd: S) -> Self::Output;
}

impl Arch {
    /// `None` if the CPU, or the architecture, lacks the level.
    pub(crate) fn new(level: Level) -> Option<Arch> {
        match level {
            Level::Scalar => Some(Arch::Scalar(pulp::Scalar)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => pulp::x86::V3::try_new().map(Arch::Avx2),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => pulp::x86::V4::try_new().map(Arch::Avx512),
            #[cfg(target_arch = "x86_64")]
            Level::Ifma => Ifma::try_new().map(Arch::Ifma),
            #[cfg(target_arch = "x86_64")]
            Level::Amx => Tiles::try_new().map(Arch::Amx),
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx2 | Level::Avx512 | Level::Ifma | Level::Amx => None,
        }
    }

    /// The best that this CPU has.
    #[cfg(feature = "gpu")]
    pub(crate) fn best() -> Arch {
        Arch::new(Level::best()).unwrap_or(Arch::Scalar(pulp::Scalar))
    }

    pub(crate) fn level(&self) -> Level {
        match self {
            Arch::Scalar(_) => Level::Scalar,
            #[cfg(target_arch = "x86_64")]
            Arch::Avx2(_) => Level::Avx2,
            #[cfg(target_arch = "x86_64")]
            Arch::Avx512(_) => Level::Avx512,
            #[cfg(target_arch = "x86_64")]
            Arch::Ifma(_) => Level::Ifma,
            #[cfg(target_arch = "x86_64")]
            Arch::Amx(_) => Level::Amx,
        }
    }

    pub(crate) fn run<K: Kernel>(&self, kernel: K) -> K::Output {
        match *self {
            Arch::Scalar(simd) => kernel.run(simd),
            #[cfg(target_arch = "x86_64")]
            Arch::Avx2(simd) => simd.vectorize(Bound { kernel, simd }),
            #[cfg(target_arch = "x86_64")]
            Arch::Avx512(simd) => simd.vectorize(Bound { kernel, simd }),
            #[cfg(target_arch = "x86_64")]
            Arch::Ifma(ifma) => Arch::Avx512(ifma.simd()).run(kernel),
            #[cfg(target_arch = "x86_64")]
            Arch::Amx(tiles) => Arch::Avx512(tiles.simd()).run(kernel),
        }
    }
}

/// A kernel with its token, in the form that `pulp` calls with the level's instructions enabled.
#[cfg(target_arch = "x86_64")]
struct Bound<K, S> {
    kernel: K,
    simd: S,
}

#[cfg(target_arch = "x86_64")]
impl<K: Kernel, S: IntSimd> pulp::NullaryFnOnce for Bound<K, S> {
    type Output = K::Output;

    #[inline(always)]
    fn call(self) -> K::Output {
        self.kernel.run(self.simd)
    }
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn the_maker_is_whom_linux_names_and_decides_between_ifma_and_whole_lanes() {
        let info = std::fs::read_to_string("/proc/cpuinfo").expect("Linux has it");
        let named = ["AuthenticAMD", "HygonGenuine"].iter().any(|maker| info.contains(maker));
        assert_eq!(is_amd(), named);
        assert!(!named || Level::best() != Level::Ifma, "{}", Level::best());
    }
}
