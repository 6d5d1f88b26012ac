//! Running a program of this crate.

use std::process::Command;
use veilgrid_bench_gpu::NO_DRIVER;

/// Requires that it succeeds; skipped where it says that there is no driver, but never in CI.
#[allow(clippy::print_stdout)]
pub(crate) fn succeeds(program: &mut Command) {
    let output = program.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(NO_DRIVER.into()) {
        assert!(std::env::var_os("CI").is_none(), "{said}");
        println!("skipped: {said}");
        return;
    }
    assert!(output.status.success(), "{said}");
}
