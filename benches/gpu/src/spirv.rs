//! From WGSL to the SPIR-V that wgpu gives a Vulkan driver for a shader without run-time checks.

use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use std::error::Error;
use veilgrid_shaders::{Mode, Shader};

/// The words of a kernel. The options are those of wgpu for Vulkan 1.3 and of `kernels/src/gpu/pipeline.rs`: no bounds tests, no
/// counters in loops, no zeros in workgroup memory, no test before a division.
///
/// # Errors
/// naga cannot compile it.
pub fn spirv(shader: &Shader) -> Result<Vec<u32>, Box<dyn Error>> {
    let module = naga::front::wgsl::parse_str(shader.source)?;
    let mut given = Capabilities::empty();
    let mut capabilities = vec![spv::Capability::Shader];
    if shader.mode == Mode::Native {
        given |= Capabilities::SHADER_INT64;
        capabilities.push(spv::Capability::Int64);
    }
    let info = Validator::new(ValidationFlags::all(), given).validate(&module)?;
    let options = spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::empty(),
        capabilities: Some(capabilities.into_iter().collect()),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Unchecked,
            buffer: BoundsCheckPolicy::Unchecked,
            image_load: BoundsCheckPolicy::Unchecked,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..spv::Options::default()
    };
    let main =
        spv::PipelineOptions { entry_point: "main".to_owned(), shader_stage: naga::ShaderStage::Compute };
    Ok(spv::write_vec(&module, &info, &options, Some(&main))?)
}
