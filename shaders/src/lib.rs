//! WGSL kernels, expanded and validated when built.
//!
//! One `.wgsl` file is one family; `build/expand.rs` says what its directives do. Every kernel is there twice: in
//! [`Mode::Limb`] a u64 is two u32, which any GPU can run; in [`Mode::Native`] it is the GPU's own 64-bit integer.

/// How a kernel holds 64-bit integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// As two 32-bit words, low word first.
    Limb,
    /// As the GPU's own type: needs `SHADER_INT64`.
    Native,
}

/// What a kernel binds at one number of group 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// The parameters.
    Uniform,
    /// A storage buffer that is only read.
    Read,
    /// A storage buffer that is read and written.
    ReadWrite,
}

/// One kernel in one mode. Its entry point is `main`.
#[derive(Debug, Clone, Copy)]
pub struct Shader {
    /// Family, operation and element type: `ring_add_u64`.
    pub name: &'static str,
    /// How it holds u64.
    pub mode: Mode,
    /// Plain WGSL.
    pub source: &'static str,
    /// Invocations of one workgroup.
    pub workgroup_size: u32,
    /// Entry `i` is binding `i` of group 0.
    pub bindings: &'static [Binding],
}

/// Every kernel in every mode.
pub static SHADERS: &[Shader] = include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// The kernel of that name and mode.
pub fn shader(name: &str, mode: Mode) -> Option<&'static Shader> {
    SHADERS.iter().find(|shader| shader.name == name && shader.mode == mode)
}
