//! The conformance suite on every vector level of the CPU.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use veilgrid_kernels::{Device, DeviceError, Level, conformance_suite};

fn cpu(level: Level) -> Option<Device> {
    match Device::cpu_at(level) {
        Ok(device) => Some(device),
        Err(DeviceError::Unsupported { level, .. }) => {
            let name = match level {
                Level::Amx => "AMX that this process may use",
                Level::Ifma => "AVX-512 IFMA",
                Level::Avx512 => "AVX-512",
                _ => "AVX2",
            };
            eprintln!("skipped: this CPU has no {name}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

conformance_suite!(scalar, cpu(Level::Scalar));
conformance_suite!(avx2, cpu(Level::Avx2));
conformance_suite!(avx512, cpu(Level::Avx512));
conformance_suite!(ifma, cpu(Level::Ifma));
conformance_suite!(amx, cpu(Level::Amx));

#[test]
fn a_vector_of_many_batches() {
    for level in Level::ALL {
        if let Some(device) = cpu(level) {
            veilgrid_kernels::conformance::large(&device, 1_000_003);
        }
    }
}
