//! Every kernel has the CPU's bits, alone and through the library.

use std::process::Command;
use veilgrid_bench_gpu::NO_DRIVER;

#[test]
#[allow(clippy::print_stdout)]
fn every_kernel_is_measured_and_has_the_bits_of_the_cpu() {
    let output = Command::new(env!("CARGO_BIN_EXE_gpu-rates")).arg("small").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(NO_DRIVER.into()) {
        assert!(std::env::var_os("CI").is_none(), "{said}");
        println!("skipped: {said}");
        return;
    }
    assert!(output.status.success(), "{said}");
}
