//! The tile registers: whether this process may use them, their shape, and sums of products of limbs in them.
//!
//! Eight registers of 16 rows by 64 bytes. `tdpbuud` takes a left tile of 16 rows by 64 bytes and a right one of 64 by
//! 16, of which a row of the register holds four rows, byte by byte; it adds their product to 16 by 16 sums of 32 bits
//! (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18).
//!
//! No block of assembler on tiles is said to leave memory alone, so the compiler keeps them in order: those that compute
//! stay between the one that shapes the registers and the one that releases them.

#![allow(unsafe_code)] // The instructions have no stable intrinsics: they are written in assembler here.

use crate::cpu::matmul::Ifma;
use pulp::x86::V4;
use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::marker::PhantomData;
use std::sync::OnceLock;
use zeroize::DefaultIsZeroes;

/// A tile of 16 rows of 64 bytes.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Tile<T, const N: usize>(pub(super) [[T; N]; 16]);

/// A tile of limbs.
pub(super) type Bytes = Tile<u8, 64>;
/// A tile of sums.
pub(super) type Sums = Tile<u32, 16>;

impl<T: Copy + Default, const N: usize> Default for Tile<T, N> {
    fn default() -> Self {
        Tile([[T::default(); N]; 16])
    }
}

impl DefaultIsZeroes for Bytes {}
impl DefaultIsZeroes for Sums {}

/// Proof that the CPU has AVX-512, IFMA and AMX's byte products, and that the operating system lets this process use them.
#[derive(Clone, Copy)]
pub(crate) struct Tiles {
    ifma: Ifma,
}

impl Tiles {
    /// `None` without the instructions or the permission. Asks for it once; it holds for every thread.
    pub(crate) fn try_new() -> Option<Tiles> {
        static USABLE: OnceLock<bool> = OnceLock::new();
        let ifma = Ifma::try_new()?;
        USABLE.get_or_init(|| present() && enabled() && permitted()).then_some(Tiles { ifma })
    }

    pub(crate) fn ifma(self) -> Ifma {
        self.ifma
    }

    pub(crate) fn simd(self) -> V4 {
        self.ifma.simd()
    }

    /// Makes all registers of this thread whole tiles, until the guard is dropped.
    pub(super) fn shaped(self) -> Shaped {
        // Palette 1; from byte 16 on the bytes of a row, from byte 48 on the rows of each register.
        #[repr(C, align(64))]
        struct Config([u8; 64]);
        let mut config = Config([0; 64]);
        config.0[0] = 1;
        for tile in 0..8 {
            config.0[16 + 2 * tile] = 64;
            config.0[48 + tile] = 16;
        }
        // SAFETY: the instruction exists and is permitted (`self`). It reads 64 bytes, which `config` has, of a form
        // that palette 1 of this CPU allows (`present`), and changes tile registers only.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &config.0, options(nostack, preserves_flags)) };
        Shaped { thread: PhantomData }
    }
}

/// AMX-TILE and AMX-INT8, with registers of at least the size used here.
fn present() -> bool {
    if __cpuid_count(0, 0).eax < 0x1d {
        return false;
    }
    let features = __cpuid_count(7, 0).edx;
    let palette = __cpuid_count(0x1d, 1);
    let (row, names, rows) = (palette.ebx & 0xffff, palette.ebx >> 16, palette.ecx & 0xffff);
    features >> 24 & 3 == 3 && row == 64 && names == 8 && rows == 16
}

/// The operating system saves the state of tiles: XCR0, bits 17 and 18.
fn enabled() -> bool {
    if __cpuid_count(1, 0).ecx >> 27 & 1 == 0 {
        return false;
    }
    let low: u32;
    // SAFETY: CPUID says that the instruction exists (OSXSAVE); it reads register 0, which always exists.
    unsafe {
        asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack, preserves_flags));
    }
    low >> 17 & 3 == 3
}

/// Linux saves tiles only of processes that ask: `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`.
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const XFEATURE_XTILEDATA: u64 = 18;
    let result: i64;
    // SAFETY: a system call in Linux's convention, whose registers are all named. It takes no memory, and widens what
    // this process may do by nothing but the use of tiles.
    unsafe {
        asm!("syscall", inlateout("rax") ARCH_PRCTL => result, in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA, out("rcx") _, out("r11") _, options(nostack));
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

/// The registers of this thread are whole tiles. When dropped they are released, which clears them: they held limbs
/// of secrets.
pub struct Shaped {
    /// Registers are a thread's own.
    thread: PhantomData<*const ()>,
}

impl Drop for Shaped {
    fn drop(&mut self) {
        // SAFETY: `Tiles` made it, so the instruction exists; it changes tile registers only.
        unsafe { asm!("tilerelease", options(nostack, preserves_flags)) };
    }
}

/// Runs loads and products, written in the order in which they run, for each step; then stores the accumulators.
/// `$a` and `$b` are slices of tiles, `$limbs` of them a step, of which the lines read no others.
macro_rules! accumulate {
    ($a:ident, $b:ident, $limbs:expr, $out:ident, $($line:literal)*) => {{
        let limbs: usize = $limbs;
        let steps = $a.len() / limbs;
        assert!(steps > 0 && $a.len() == steps * limbs && $b.len() == $a.len());
        // SAFETY: a `Shaped` says that the registers are whole tiles, so that a load reads and a store writes 1024
        // bytes in rows 64 bytes apart, which a tile is. The lines load tiles of one step, and `$a` and `$b` are as
        // many steps. `$out` is the four tiles that are stored.
        unsafe {
            asm!(
                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                "2:",
                $($line,)*
                "add {a}, {step}", "add {b}, {step}", "dec {steps}", "jnz 2b",
                "tilestored [{out} + {row}], tmm0", "tilestored [{out} + {row} + 0x400], tmm1",
                "tilestored [{out} + {row} + 0x800], tmm2", "tilestored [{out} + {row} + 0xc00], tmm3",
                a = inout(reg) $a.as_ptr() => _,
                b = inout(reg) $b.as_ptr() => _,
                steps = inout(reg) steps => _,
                step = in(reg) limbs * size_of::<Bytes>(),
                row = in(reg) 64usize,
                out = in(reg) $out.as_mut_ptr(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }};
}

/// Sums over all steps, for four weights, of the products of limbs `i` of `a` and `j` of `b` with `i + j` of that
/// weight. Each tile is loaded once a step: loads, too, are issued one after the other.
impl Shaped {
    /// Weights 0 to 3, ten products: the first four of `limbs` limbs.
    pub(super) fn weights_0(&self, a: &[Bytes], b: &[Bytes], limbs: usize, out: &mut [Sums; 4]) {
        assert!(limbs >= 4);
        accumulate!(a, b, limbs, out,
            "tileloadd tmm4, [{a} + {row}]"
            "tileloadd tmm7, [{b} + {row} + 0xc00]" "tdpbuud tmm3, tmm4, tmm7"
            "tileloadd tmm7, [{b} + {row} + 0x800]" "tdpbuud tmm2, tmm4, tmm7"
            "tileloadd tmm6, [{b} + {row} + 0x400]" "tdpbuud tmm1, tmm4, tmm6"
            "tileloadd tmm5, [{b} + {row}]" "tdpbuud tmm0, tmm4, tmm5"
            "tileloadd tmm4, [{a} + {row} + 0x400]"
            "tdpbuud tmm1, tmm4, tmm5" "tdpbuud tmm2, tmm4, tmm6" "tdpbuud tmm3, tmm4, tmm7"
            "tileloadd tmm4, [{a} + {row} + 0x800]" "tdpbuud tmm2, tmm4, tmm5" "tdpbuud tmm3, tmm4, tmm6"
            "tileloadd tmm4, [{a} + {row} + 0xc00]" "tdpbuud tmm3, tmm4, tmm5"
        );
    }

    /// Weights 4 to 7 of eight limbs, 26 products. Three registers hold the limbs of `b` that a limb of `a` meets and
    /// the next one too.
    pub(super) fn weights_4(&self, a: &[Bytes], b: &[Bytes], out: &mut [Sums; 4]) {
        accumulate!(a, b, 8, out,
            "tileloadd tmm4, [{a} + {row}]"
            "tileloadd tmm7, [{b} + {row} + 0x1c00]" "tdpbuud tmm3, tmm4, tmm7"
            "tileloadd tmm6, [{b} + {row} + 0x1800]" "tdpbuud tmm2, tmm4, tmm6"
            "tileloadd tmm5, [{b} + {row} + 0x1400]" "tdpbuud tmm1, tmm4, tmm5"
            "tileloadd tmm7, [{b} + {row} + 0x1000]" "tdpbuud tmm0, tmm4, tmm7"
            "tileloadd tmm4, [{a} + {row} + 0x400]"
            "tdpbuud tmm3, tmm4, tmm6" "tdpbuud tmm2, tmm4, tmm5" "tdpbuud tmm1, tmm4, tmm7"
            "tileloadd tmm6, [{b} + {row} + 0xc00]" "tdpbuud tmm0, tmm4, tmm6"
            "tileloadd tmm4, [{a} + {row} + 0x800]"
            "tdpbuud tmm3, tmm4, tmm5" "tdpbuud tmm2, tmm4, tmm7" "tdpbuud tmm1, tmm4, tmm6"
            "tileloadd tmm5, [{b} + {row} + 0x800]" "tdpbuud tmm0, tmm4, tmm5"
            "tileloadd tmm4, [{a} + {row} + 0xc00]"
            "tdpbuud tmm3, tmm4, tmm7" "tdpbuud tmm2, tmm4, tmm6" "tdpbuud tmm1, tmm4, tmm5"
            "tileloadd tmm7, [{b} + {row} + 0x400]" "tdpbuud tmm0, tmm4, tmm7"
            "tileloadd tmm4, [{a} + {row} + 0x1000]"
            "tdpbuud tmm3, tmm4, tmm6" "tdpbuud tmm2, tmm4, tmm5" "tdpbuud tmm1, tmm4, tmm7"
            "tileloadd tmm6, [{b} + {row}]" "tdpbuud tmm0, tmm4, tmm6"
            "tileloadd tmm4, [{a} + {row} + 0x1400]"
            "tdpbuud tmm3, tmm4, tmm5" "tdpbuud tmm2, tmm4, tmm7" "tdpbuud tmm1, tmm4, tmm6"
            "tileloadd tmm4, [{a} + {row} + 0x1800]" "tdpbuud tmm3, tmm4, tmm7" "tdpbuud tmm2, tmm4, tmm6"
            "tileloadd tmm4, [{a} + {row} + 0x1c00]" "tdpbuud tmm3, tmm4, tmm6"
        );
    }

    /// Weights 8 to 11 of eight limbs, 22 products.
    pub(super) fn weights_8(&self, a: &[Bytes], b: &[Bytes], out: &mut [Sums; 4]) {
        accumulate!(a, b, 8, out,
            "tileloadd tmm4, [{a} + {row} + 0x400]" "tileloadd tmm7, [{b} + {row} + 0x1c00]"
            "tdpbuud tmm0, tmm4, tmm7"
            "tileloadd tmm4, [{a} + {row} + 0x800]" "tdpbuud tmm1, tmm4, tmm7"
            "tileloadd tmm6, [{b} + {row} + 0x1800]" "tdpbuud tmm0, tmm4, tmm6"
            "tileloadd tmm4, [{a} + {row} + 0xc00]" "tdpbuud tmm2, tmm4, tmm7" "tdpbuud tmm1, tmm4, tmm6"
            "tileloadd tmm5, [{b} + {row} + 0x1400]" "tdpbuud tmm0, tmm4, tmm5"
            "tileloadd tmm4, [{a} + {row} + 0x1000]" "tdpbuud tmm3, tmm4, tmm7" "tdpbuud tmm2, tmm4, tmm6"
            "tdpbuud tmm1, tmm4, tmm5" "tileloadd tmm7, [{b} + {row} + 0x1000]" "tdpbuud tmm0, tmm4, tmm7"
            "tileloadd tmm4, [{a} + {row} + 0x1400]" "tdpbuud tmm3, tmm4, tmm6" "tdpbuud tmm2, tmm4, tmm5"
            "tdpbuud tmm1, tmm4, tmm7" "tileloadd tmm6, [{b} + {row} + 0xc00]" "tdpbuud tmm0, tmm4, tmm6"
            "tileloadd tmm4, [{a} + {row} + 0x1800]" "tdpbuud tmm3, tmm4, tmm5" "tdpbuud tmm2, tmm4, tmm7"
            "tdpbuud tmm1, tmm4, tmm6" "tileloadd tmm5, [{b} + {row} + 0x800]" "tdpbuud tmm0, tmm4, tmm5"
            "tileloadd tmm4, [{a} + {row} + 0x1c00]" "tdpbuud tmm3, tmm4, tmm7" "tdpbuud tmm2, tmm4, tmm6"
            "tdpbuud tmm1, tmm4, tmm5" "tileloadd tmm7, [{b} + {row} + 0x400]" "tdpbuud tmm0, tmm4, tmm7"
        );
    }

    /// Weights 12 to 14 of eight limbs, six products.
    pub(super) fn weights_12(&self, a: &[Bytes], b: &[Bytes], out: &mut [Sums; 4]) {
        accumulate!(a, b, 8, out,
            "tileloadd tmm4, [{a} + {row} + 0x1400]" "tileloadd tmm7, [{b} + {row} + 0x1c00]"
            "tdpbuud tmm0, tmm4, tmm7"
            "tileloadd tmm4, [{a} + {row} + 0x1800]" "tdpbuud tmm1, tmm4, tmm7"
            "tileloadd tmm6, [{b} + {row} + 0x1800]" "tdpbuud tmm0, tmm4, tmm6"
            "tileloadd tmm4, [{a} + {row} + 0x1c00]" "tdpbuud tmm2, tmm4, tmm7" "tdpbuud tmm1, tmm4, tmm6"
            "tileloadd tmm5, [{b} + {row} + 0x1400]" "tdpbuud tmm0, tmm4, tmm5"
        );
    }
}
