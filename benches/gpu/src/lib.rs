//! What the shaders cost: counted by a compiler on any machine, measured where there is a GPU.

pub mod assembly;
pub mod limits;
pub mod null;
#[cfg(feature = "rates")]
pub mod rates;
pub mod report;
pub mod spirv;

/// What `gpu-cost` ends with where there is no compiler to ask.
pub const NO_DRIVER: u8 = 3;
