//! What the tests of frozen answers share.

use super::format::{At, unwords};
use veilgrid_kernels::{Seed, Stream, Word};

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

pub(crate) fn stream(at: &At) -> Stream {
    let mut stream = Seed::from_bytes(at.key()).stream(at.id());
    stream.skip(at.block()).unwrap();
    stream
}

pub(crate) fn elements<T: Word>(texts: &[String]) -> Vec<T> {
    unwords(texts).iter().map(|value| T::from_le(&value.to_le_bytes()[..size_of::<T>()])).collect()
}
