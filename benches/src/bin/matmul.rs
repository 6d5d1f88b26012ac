//! Matrix products on one core, at every level of the CPU, beside numpy's, beside their multiplications alone and, on
//! AMX's tiles, beside AVX-512. Prints rows of `docs/performance.md`.

#[path = "../issue.rs"]
mod issue;

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
    for level in [Level::Avx2, Level::Avx512, Level::Ifma, Level::Amx] {
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
                _ => {
                    let vectors = SIDE.pow(3) * 8 * size_of::<T>() / issue::width(level);
                    issue::multiplications(level, size_of::<T>() == 8, vectors);
                }
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
