//! How fast the kernels are on the GPU of this machine: by the GPU's own clock and through the library, beside what its memory
//! and its arithmetic could do. Every result is compared with the CPU's. `gpu-rates small` only does that, on small vectors.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use veilgrid_bench_gpu::NO_DRIVER;
use veilgrid_bench_gpu::limits::LIMITS;
use veilgrid_bench_gpu::rates::{Case, Gpu, Roof, Size, cases};
use veilgrid_kernels::{Device, GpuMode, KernelError};
use veilgrid_shaders::{Mode, SHADERS, Shader};

/// Vectors of 128 MiB on a GPU, of 2 MiB in software.
const LARGE: Size = Size { words: 1 << 24, side: 2048 };
const SOFTWARE: Size = Size { words: 1 << 18, side: 128 };
const SMALL: Size = Size { words: 1 << 12, side: 64 };
/// Batches of which the library's time is the middle one.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gpu-rates: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let gpu = match Gpu::open() {
        Ok(gpu) => gpu,
        Err(error) => {
            eprintln!("gpu-rates: {error}");
            return Ok(ExitCode::from(NO_DRIVER));
        }
    };
    let cpu = Device::cpu()?;
    println!("{}; the CPU is {}", gpu.name, cpu.describe());
    if gpu.software {
        println!("This adapter is software: its bits are checked, its figures say nothing about a GPU.");
    }
    let small = std::env::args().nth(1).as_deref() == Some("small");
    let mut size = if small { SMALL } else { [LARGE, SOFTWARE][usize::from(gpu.software)] };
    while (8 * size.words) as u64 > gpu.most() {
        size.words /= 2;
    }
    let roof = Roof::measure(&gpu, 8 * size.words)?;
    println!(
        "vectors of {} KiB; a copy moves {:.1} GB/s; additions and xors: {:.3} T/s\n",
        size.words >> 7,
        roof.bytes / 1e9,
        roof.operations / 1e12
    );
    println!(
        "| kernel | batch | mode | a second, on the GPU | GB/s | of the roofline | bound by | a second, end to end | GB/s | bits |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut wrong = Vec::new();
    for mode in gpu.modes {
        let library = Device::gpu(Some(if *mode == Mode::Native { GpuMode::Native } else { GpuMode::Limb }))?;
        for shader in SHADERS.iter().filter(|shader| shader.mode == *mode) {
            let cases = cases(shader.name, size)?;
            if cases.is_empty() {
                wrong.push(format!("{} is not measured", shader.name));
            }
            for case in cases {
                if !measure(&gpu, shader, &library, &cpu, roof, &case)? {
                    wrong.push(format!("{} {mode:?}, {}: wrong bits", shader.name, case.name));
                }
            }
        }
        transfers(*mode, &library, size.words)?;
    }
    for wrong in &wrong {
        eprintln!("gpu-rates: {wrong}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a row; whether all bits are the CPU's.
fn measure(
    gpu: &Gpu,
    shader: &Shader,
    library: &Device,
    cpu: &Device,
    roof: Roof,
    case: &Case,
) -> Result<bool, Box<dyn Error>> {
    let (expected, _) = (case.batch)(cpu, &case.work.vectors)?;
    let (result, alone) = gpu.run(shader, &case.work)?;
    let mut right = (case.host)(&result) == expected;
    let whole = middle(|| {
        let (result, taken) = (case.batch)(library, &case.work.vectors)?;
        right &= result == expected;
        Ok(taken)
    })?;

    let limit = LIMITS.iter().find(|limit| limit.kernel == shader.name);
    let unit = limit.map_or("unit", |limit| limit.unit);
    let (units, bytes) = (case.units as f64, case.moved as f64);
    let instructions = case.least[usize::from(shader.mode == Mode::Native)];
    let (memory, arithmetic) = (bytes / roof.bytes, instructions / roof.operations);
    let bound = if memory > arithmetic { "memory" } else { "arithmetic" };
    println!(
        "| `{}` | {} | {:?} | {:.3} G {unit} | {:.1} | {:.0} % | {bound} | {:.3} G {unit} | {:.1} | {} |",
        shader.name,
        case.name,
        shader.mode,
        units / alone / 1e9,
        bytes / alone / 1e9,
        100.0 * memory.max(arithmetic) / alone,
        units / whole / 1e9,
        bytes / whole / 1e9,
        if right { "the CPU's" } else { "WRONG" }
    );
    Ok(right)
}

/// Prints how fast a vector comes to a buffer that stays on the GPU, and back from there.
fn transfers(mode: Mode, library: &Device, words: usize) -> Result<(), Box<dyn Error>> {
    let vector: Vec<u64> = (0..words as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let mut back = vec![1; words];
    let mut buffer = library.buffer(words)?;
    let there = middle(|| {
        let began = Instant::now();
        buffer.write(&vector)?;
        Ok(began.elapsed())
    })?;
    let home = middle(|| {
        let began = Instant::now();
        buffer.read(&mut back)?;
        Ok(began.elapsed())
    })?;
    if back != vector {
        return Err("a buffer does not hold what was written to it".into());
    }
    for (name, seconds) in [("write", there), ("read", home)] {
        let (words, bytes) = (words as f64 / seconds / 1e9, 8.0 * words as f64 / seconds / 1e9);
        println!("| | Buffer::{name} | {mode:?} | | | | | {words:.3} G u64 | {bytes:.1} | as written |");
    }
    Ok(())
}

/// The middle one of the times of a few batches, in seconds.
fn middle(mut batch: impl FnMut() -> Result<Duration, KernelError>) -> Result<f64, KernelError> {
    let mut times = (0..ROUNDS).map(|_| batch()).collect::<Result<Vec<_>, _>>()?;
    times.sort();
    Ok(times[ROUNDS / 2].as_secs_f64())
}
