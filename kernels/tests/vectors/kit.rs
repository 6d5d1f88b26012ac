//! What the tests of frozen answers share.

use super::format::{At, unwords};
use veilgrid_kernels::{Device, DeviceError, Level, Seed, Stream, Word};

/// The vectors of a file.
macro_rules! vectors {
    ($type:ty, $file:literal) => {
        serde_json::from_str::<Vec<$type>>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/vectors/",
            $file
        )))
        .unwrap()
    };
}
pub(crate) use vectors;

/// Every level that this CPU has; one that fails its self-test is no reason to pass.
pub(crate) fn devices() -> Vec<Device> {
    let open = |level| match Device::cpu_at(level) {
        Err(DeviceError::Unsupported { .. }) => None,
        device => Some(device.unwrap()),
    };
    Level::ALL.into_iter().filter_map(open).collect()
}

pub(crate) fn stream(at: &At) -> Stream {
    let mut stream = Seed::from_bytes(at.key()).stream(at.id());
    stream.skip(at.block()).unwrap();
    stream
}

pub(crate) fn elements<T: Word>(texts: &[String]) -> Vec<T> {
    unwords(texts).iter().map(|value| T::from_le(&value.to_le_bytes()[..size_of::<T>()])).collect()
}
