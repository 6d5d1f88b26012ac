//! Matrix products on one core, at every level of the CPU, beside numpy's, beside their multiplications alone and, on
//! AMX's tiles, beside AVX-512. Prints rows of `docs/performance.md`.

use pulp::x86::{V3, V4};
use pulp::{NullaryFnOnce, Simd};
use std::error::Error;
use std::hint::black_box;
use std::process::Command;
use veilgrid_benches::{cpu_name, side_by_side};
use veilgrid_kernels::matmul::{Shape, multiply_add};
use veilgrid_kernels::{Device, Level, Word};

const SIDE: usize = 1024;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", cpu_name());
    println!("| work | level | Veilgrid | peer | ratio |\n|---|---|---|---|---|");
    products::<u64>("u64")?;
    products::<u32>("u32")
}

fn products<T: Word>(name: &str) -> Result<(), Box<dyn Error>> {
    let shape = Shape { rows: SIDE, inner: SIDE, columns: SIDE };
    let factor: Vec<T> =
        (0..SIDE * SIDE).map(|i| T::from_le(&(i as u64).to_le_bytes()[..size_of::<T>()])).collect();
    let product =
        |device: &Device, acc: &mut [T]| multiply_add(device, shape, &factor, &factor, black_box(acc));
    let numpy = numpy(name).inspect_err(|error| println!("numpy: {error}")).ok();
    let (mut acc, mut other) = (factor.clone(), factor.clone());
    for level in [Level::Avx2, Level::Avx512, Level::Amx] {
        let Ok(device) = Device::cpu_at(level).map(|device| device.with_threads(1)) else {
            println!("this machine has no {level}");
            continue;
        };
        let peer = if level == Level::Amx { "AVX-512" } else { "multiply instructions alone" };
        let beside = Device::cpu_at(Level::Avx512).map(|device| device.with_threads(1));
        let (ours, peers) = side_by_side(
            ROUNDS,
            || product(&device, &mut acc).expect("a product"),
            || match (level, &beside) {
                (Level::Amx, Ok(avx512)) => product(avx512, &mut other).expect("a product"),
                _ => multiplications(level, size_of::<T>() == 8),
            },
        );
        row(name, peer, level, ours, peers);
        if let Some(numpy) = numpy {
            row(name, "`numpy`", level, ours, numpy);
        }
    }
    Ok(())
}

fn row(name: &str, work: &str, level: Level, ours: f64, peer: f64) {
    let speed = |seconds: f64| SIDE.pow(3) as f64 / seconds / 1e9;
    let (fast, slow) = (speed(ours), speed(peer));
    println!(
        "| {name} matrices, 1024^3 ({work}) | cpu {level} | {fast:.2} G products/s | {slow:.2} G products/s | {:.2} |",
        peer / ours
    );
}

/// As many multiplications of vectors as a product of matrices takes at the level.
fn multiplications(level: Level, wide: bool) {
    let width = if level == Level::Avx2 { 256 } else { 512 };
    let vectors = SIDE.pow(3) * if wide { 64 } else { 32 } / width;
    if level == Level::Avx2 {
        let simd = V3::try_new().expect("a device at the level");
        simd.vectorize(Multiplications { simd, vectors, wide });
    } else {
        let simd = V4::try_new().expect("a device at the level");
        simd.vectorize(Multiplications { simd, vectors, wide });
    }
}

/// Multiplications on twelve vectors in turn.
struct Multiplications<S> {
    simd: S,
    vectors: usize,
    wide: bool,
}

/// By AVX2 one of 32-bit lanes for each vector, and for u64 one of the lower halves besides.
impl NullaryFnOnce for Multiplications<V3> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let avx2 = self.simd.avx2;
        let mut x = [self.simd.splat_u64s(3); 12];
        let b = black_box(self.simd.splat_u64s(5));
        for _ in 0..self.vectors / 12 {
            for x in &mut x {
                *x = pulp::cast(avx2._mm256_mullo_epi32(pulp::cast(*x), pulp::cast(b)));
                // Else the compiler multiplies by the square of `b` half as often.
                *x = self.simd.xor_u64s(*x, b);
                if self.wide {
                    *x = pulp::cast(avx2._mm256_mul_epu32(pulp::cast(*x), pulp::cast(b)));
                }
            }
        }
        black_box(x);
    }
}

/// By AVX-512 one for each vector.
impl NullaryFnOnce for Multiplications<V4> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Multiplications { simd, vectors, wide } = self;
        let mut x = [simd.splat_u64s(3); 12];
        let b = black_box(simd.splat_u64s(5));
        for _ in 0..vectors / 12 {
            for x in &mut x {
                let product = match wide {
                    true => simd.avx512dq._mm512_mullo_epi64(pulp::cast(*x), pulp::cast(b)),
                    false => simd.avx512f._mm512_mullo_epi32(pulp::cast(*x), pulp::cast(b)),
                };
                *x = simd.xor_u64s(pulp::cast(product), b);
            }
        }
        black_box(x);
    }
}

fn numpy(name: &str) -> Result<f64, Box<dyn Error>> {
    let script = format!(
        "import numpy as n, time\na = n.arange({SIDE} * {SIDE}, dtype=n.{}).reshape({SIDE}, {SIDE})\n\
         t = time.thread_time()\na @ a\nprint(time.thread_time() - t)",
        name.replace('u', "uint")
    );
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).args(["-c", &script]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}
