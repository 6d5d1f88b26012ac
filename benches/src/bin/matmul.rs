//! Matrix products on one core beside numpy's and beside their multiplications alone. Prints rows of
//! `docs/performance.md`.

use pulp::{Simd, x86::V3};
use std::error::Error;
use std::hint::black_box;
use std::process::Command;
use veilgrid_benches::{cpu_name, side_by_side};
use veilgrid_kernels::matmul::{Shape, multiply_add};
use veilgrid_kernels::{Device, Word};

const SIDE: usize = 1024;
const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::cpu()?;
    println!("{}, {}", cpu_name(), device.describe());
    println!("| work | level | Veilgrid | peer | ratio |\n|---|---|---|---|---|");
    product::<u64>(&device, "u64", 4)?;
    product::<u32>(&device, "u32", 8)?;
    Ok(())
}

/// `lanes` elements a vector.
fn product<T: Word>(device: &Device, name: &str, lanes: usize) -> Result<(), Box<dyn Error>> {
    let avx2 = V3::try_new().ok_or("this CPU has no AVX2")?;
    let shape = Shape { rows: SIDE, inner: SIDE, columns: SIDE };
    let ones: Vec<T> =
        (0..SIDE * SIDE).map(|i| T::from_le(&(i as u64).to_le_bytes()[..size_of::<T>()])).collect();
    let mut acc = ones.clone();
    let (ours, limit) = side_by_side(
        ROUNDS,
        || multiply_add(device, shape, &ones, &ones, black_box(&mut acc)).expect("a product"),
        || {
            let vectors = SIDE.pow(3) / lanes;
            avx2.vectorize(Multiplications { simd: avx2, vectors, wide: lanes == 4 });
        },
    );
    let speed = |seconds: f64| SIDE.pow(3) as f64 / seconds / 1e9;
    let row = |work: &str, peer: f64| {
        println!(
            "| {name} matrices, 1024^3 ({work}) | {} | {:.2} G products/s | {:.2} G products/s | {:.2} |",
            device.describe(),
            speed(ours),
            speed(peer),
            peer / ours
        );
    };
    row("multiply instructions alone", limit);
    match numpy(name) {
        Ok(seconds) => row("`numpy`", seconds),
        Err(error) => println!("numpy: {error}"),
    }
    Ok(())
}

/// Multiplications on twelve vectors in turn, as many as a product of matrices takes by AVX2: for each vector one of
/// 32-bit lanes, and for u64 one of the lower halves besides.
struct Multiplications {
    simd: V3,
    vectors: usize,
    wide: bool,
}

impl pulp::NullaryFnOnce for Multiplications {
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
