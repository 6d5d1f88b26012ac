//! Compiles the shaders of one mode.

#![allow(unsafe_code)] // Run-time checks can only be left out by an unsafe call: see `module`.

use super::fault::Fault;
use veilgrid_shaders::{Binding, Shader};

/// A kernel, ready to run.
pub(super) struct Pipeline {
    pub(super) shader: &'static Shader,
    pub(super) compiled: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// Compiles `shaders`, with the run-time checks of wgpu if `checks`. The error says which one failed and how.
pub(super) fn compile(
    device: &wgpu::Device,
    fault: &Fault,
    shaders: impl Iterator<Item = &'static Shader>,
    checks: bool,
) -> Result<Vec<Pipeline>, String> {
    shaders
        .map(|shader| {
            let pipeline = one(device, shader, checks);
            match fault.take() {
                None => Ok(pipeline),
                Some(problem) => Err(format!("its driver cannot compile {}: {problem}", shader.name)),
            }
        })
        .collect()
}

fn one(device: &wgpu::Device, shader: &'static Shader, checks: bool) -> Pipeline {
    let entries: Vec<wgpu::BindGroupLayoutEntry> = (0..)
        .zip(shader.bindings)
        .map(|(binding, kind)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match kind {
                    Binding::Uniform => wgpu::BufferBindingType::Uniform,
                    Binding::Read => wgpu::BufferBindingType::Storage { read_only: true },
                    Binding::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    let label = Some(shader.name);
    let layout =
        device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
    let layouts = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let compiled = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: Some(&layouts),
        module: &module(device, shader, checks),
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            // All workgroup memory is written before it is read.
            zero_initialize_workgroup_memory: checks,
            ..Default::default()
        },
        cache: None,
    });
    Pipeline { shader, compiled, layout }
}

/// The one place where shaders lose their run-time checks.
///
/// With checks, wgpu adds a bounds test to every access and a counter to every loop. Our kernels test their own
/// index against the count that the host gives once, or are given whole tiles; and loops count to a number of the
/// host's or of the text. So both would be paid for nothing. The whole suite runs with the checks too, so that a missing test of our own
/// shows as a difference and not as a stray write.
fn module(device: &wgpu::Device, shader: &'static Shader, checks: bool) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(shader.name),
        source: wgpu::ShaderSource::Wgsl(shader.source.into()),
    };
    if checks {
        return device.create_shader_module(descriptor);
    }
    // SAFETY: the source was validated by naga when it was built and is part of this program. Each access is
    // below `params.count` times a constant, and `buffer.rs` binds at least that much; or within the tile of its workgroup,
    // which `buffer.rs` binds whole since it is a unit of work; or, in matrix products, within the tiles and steps
    // that `panel.rs`, or the weights and terms that `shamir.rs`, fills up and binds whole (where it draws them, as many rows as it binds); in polynomials `params.bits` coefficients,
    // which `field.rs` binds whole; in transforms within a tile of whole
    // ones or of as many columns as make one, and the powers that `ntt.rs` binds whole; in chains, `params` is `program`, whose sources and streams `chain.rs`
    // numbers, and each vector bound is as long. Each loop ends after at most `params.bits`, `params.upper.y` levels, `program.steps` or a
    // constant number of turns. No ray queries, no mesh or task shaders.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}
