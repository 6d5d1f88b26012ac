//! Every shader stays within its limit.

mod program;

use std::process::Command;

#[test]
fn every_shader_stays_within_its_limit() {
    program::succeeds(&mut Command::new(env!("CARGO_BIN_EXE_gpu-cost")));
}
