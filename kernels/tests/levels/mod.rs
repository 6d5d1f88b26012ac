//! The devices that tests of a CPU go through.

use veilgrid_kernels::{Device, DeviceError, Level};

/// A device at every level that this CPU has.
///
/// # Panics
/// One fails its self-test: without it a test would pass that has looked at nothing.
pub(crate) fn devices() -> Vec<Device> {
    let open = |level| match Device::cpu_at(level) {
        Err(DeviceError::Unsupported { .. }) => None,
        device => Some(device.expect("a level with the right bits")),
    };
    Level::ALL.into_iter().filter_map(open).collect()
}
