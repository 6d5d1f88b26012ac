//! Every kernel has the CPU's bits, alone and through the library.

mod program;

use std::process::Command;

#[test]
fn every_kernel_is_measured_and_has_the_bits_of_the_cpu() {
    program::succeeds(Command::new(env!("CARGO_BIN_EXE_gpu-rates")).arg("small"));
}
