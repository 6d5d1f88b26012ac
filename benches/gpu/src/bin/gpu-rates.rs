//! How fast the kernels are on the GPU of this machine: by the GPU's own clock and through the library, beside what its memory
//! and its arithmetic could do. Every result is compared with the CPU's.

#![allow(clippy::print_stdout)]

use std::error::Error;
use veilgrid_bench_gpu::limits::LIMITS;
use veilgrid_bench_gpu::rates::{Case, Gpu, Roof, cases};
use veilgrid_kernels::{Device, GpuMode};
use veilgrid_shaders::{Mode, shader};

/// Words of a vector: 128 MiB on a GPU, 2 MiB in software.
const WORDS: [usize; 2] = [1 << 24, 1 << 18];
/// Rows and columns of a matrix.
const SIDES: [usize; 2] = [2048, 128];
/// Batches of which the library's time is the middle one.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let gpu = Gpu::open()?;
    let cpu = Device::cpu()?;
    println!("{}; the CPU is {}", gpu.name, cpu.describe());
    let (mut words, side) = (WORDS[usize::from(gpu.software)], SIDES[usize::from(gpu.software)]);
    while (8 * words) as u64 > gpu.most() {
        words /= 2;
    }
    if gpu.software {
        println!("This adapter is software: its bits are checked, its figures say nothing about a GPU.");
    }
    let roof = Roof::measure(&gpu, 8 * words)?;
    println!(
        "vectors of {} MiB; a copy moves {:.1} GB/s; additions and xors: {:.3} T/s\n",
        words >> 17,
        roof.bytes / 1e9,
        roof.operations / 1e12
    );
    println!(
        "| kernel | mode | a second, on the GPU | GB/s | of the roofline | bound by | a second, end to end | GB/s | bits |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut wrong = Vec::new();
    for mode in gpu.modes {
        let library = Device::gpu(Some(if *mode == Mode::Native { GpuMode::Native } else { GpuMode::Limb }))?;
        for case in cases(words, side)? {
            if !measure(&gpu, *mode, &library, &cpu, roof, &case)? {
                wrong.push(format!("{} {mode:?}", case.kernel));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("wrong bits: {}", wrong.join(", ")).into()) }
}

/// Prints a row; whether all bits are the CPU's.
fn measure(
    gpu: &Gpu,
    mode: Mode,
    library: &Device,
    cpu: &Device,
    roof: Roof,
    case: &Case,
) -> Result<bool, Box<dyn Error>> {
    let shader = shader(case.kernel, mode).ok_or_else(|| format!("there is no {}", case.kernel))?;
    let [start, other] = [0, 1].map(|i| {
        let words = 0..case.words[i] as u64;
        words.map(|word| (case.start)(2 * word + i as u64)).collect::<Vec<u64>>()
    });
    let mut expected = start.clone();
    (case.batch)(cpu, &mut expected, &other)?;

    let (result, alone) = gpu.run_case(shader, case, &start, &other)?;
    let mut right = result == expected;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let mut acc = start.clone();
        times.push((case.batch)(library, &mut acc, &other)?.as_secs_f64());
        right &= acc == expected;
    }
    times.sort_by(f64::total_cmp);
    let whole = times[ROUNDS / 2];

    let (units, bytes) = (case.unit.1 as f64, case.moved as f64);
    let limit = LIMITS.iter().find(|limit| limit.kernel == case.kernel);
    let instructions = limit.map_or(0.0, |limit| limit.minimum[usize::from(mode == Mode::Native)]);
    let (memory, arithmetic) = (bytes / roof.bytes, units * instructions / roof.operations);
    let bound = if memory > arithmetic { "memory" } else { "arithmetic" };
    println!(
        "| `{}` | {mode:?} | {:.3} G {} | {:.1} | {:.0} % | {bound} | {:.3} G {} | {:.1} | {} |",
        case.kernel,
        units / alone / 1e9,
        case.unit.0,
        bytes / alone / 1e9,
        100.0 * memory.max(arithmetic) / alone,
        units / whole / 1e9,
        case.unit.0,
        bytes / whole / 1e9,
        if right { "the CPU's" } else { "WRONG" }
    );
    Ok(right)
}
