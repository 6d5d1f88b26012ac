//! The `veilgrid` command.
fn main() {}
