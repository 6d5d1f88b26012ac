//! WGSL kernels, expanded and validated when built.
