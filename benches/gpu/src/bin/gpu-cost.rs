//! Compiles every shader for a GPU that is not there and prints what each costs: instructions a unit beside the least that
//! its arithmetic needs, registers, spills, waves. Fails where a kernel passes its limit.
//!
//! `gpu-cost` prints the table; `gpu-cost --assembly NAME` the programs of one kernel. `RADV_FORCE_FAMILY` chooses another
//! GPU than navi21, for which the limits are.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};
use veilgrid_bench_gpu::NO_DRIVER;
use veilgrid_bench_gpu::null::{FAMILY_VARIABLE, NullGpu};
use veilgrid_bench_gpu::report::report;
use veilgrid_shaders::SHADERS;

/// The GPU for which the limits are: RDNA 2.
const FAMILY: &str = "navi21";
/// Where Debian's package puts RADV's manifest. Without it, the loader finds RADV among all drivers.
const MANIFEST: &str = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gpu-cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    if std::env::var_os(FAMILY_VARIABLE).is_none() {
        return again();
    }
    let gpu = match NullGpu::open() {
        Ok(gpu) => gpu,
        Err(error) => {
            eprintln!("gpu-cost: {error}");
            return Ok(ExitCode::from(NO_DRIVER));
        }
    };
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--assembly") {
        let name = arguments.next().ok_or("--assembly needs the name of a kernel")?;
        for shader in SHADERS.iter().filter(|shader| shader.name == name) {
            println!("{} {:?}\n{}", shader.name, shader.mode, gpu.compile(shader)?.assembly);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (table, faults) = report(&gpu)?;
    println!("{}\n\n{table}", gpu.name);
    for fault in &faults {
        eprintln!("gpu-cost: {fault}");
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs itself with the variables that the loader and the driver read when they start.
fn again() -> Result<ExitCode, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).env(FAMILY_VARIABLE, FAMILY).env("NODEVICE_SELECT", "1");
    if Path::new(MANIFEST).exists() {
        command.env("VK_DRIVER_FILES", MANIFEST).env("VK_ICD_FILENAMES", MANIFEST);
    }
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
