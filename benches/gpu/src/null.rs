//! A GPU that is not there: Mesa's RADV opens "null hardware" of any AMD family that it knows, compiles for it as for a real
//! one and says what came out. It runs nothing.

#![allow(unsafe_code)] // Vulkan is a C interface. Each block says why it holds.

use ash::vk;
use std::error::Error;
use std::ffi::{CStr, c_char};
use veilgrid_shaders::{Binding, Shader};

/// The variable that makes RADV open null hardware; read when the driver is loaded.
pub const FAMILY_VARIABLE: &str = "RADV_FORCE_FAMILY";

/// A device of null hardware.
pub struct NullGpu {
    /// As the driver calls it.
    pub name: String,
    device: ash::Device,
    info: ash::khr::pipeline_executable_properties::Device,
    instance: ash::Instance,
    /// Keeps the loader in memory.
    _entry: ash::Entry,
}

/// What the compiler says of a kernel.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Vector registers of an invocation.
    pub vgprs: u64,
    /// Scalar registers of a wave.
    pub sgprs: u64,
    /// Registers of both kinds that did not fit, and bytes of scratch memory.
    pub spills: u64,
    /// Bytes of workgroup memory.
    pub lds: u64,
    /// Waves that one SIMD can hold at a time.
    pub occupancy: u64,
    /// Instructions of the program.
    pub instructions: u64,
    /// The program as assembly.
    pub assembly: String,
}

impl NullGpu {
    /// Opens the family that the environment names.
    ///
    /// # Errors
    /// There is no Vulkan loader, no RADV, or it does not know the family.
    pub fn open() -> Result<NullGpu, Box<dyn Error>> {
        // SAFETY: the system's own Vulkan loader, whose initialisers it is made for.
        let entry = unsafe { ash::Entry::load() }.map_err(|error| {
            format!("no Vulkan loader: install libvulkan1 (scripts/test-deps.sh does): {error}")
        })?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let create = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: `create` and what it points to live until the call returns; the instance is destroyed once, in `drop`.
        let instance = unsafe { entry.create_instance(&create, None) }?;
        // SAFETY: the instance is alive.
        let physical = unsafe { instance.enumerate_physical_devices() }?;
        let named = physical.into_iter().map(|physical| {
            // SAFETY: the instance and its physical devices are alive.
            let properties = unsafe { instance.get_physical_device_properties(physical) };
            (physical, text(&properties.device_name))
        });
        let found = named.into_iter().find(|(_, name)| name.contains("RADV"));
        let Some((physical, name)) = found else {
            return Err("no RADV: install mesa-vulkan-drivers (scripts/test-deps.sh does)".into());
        };
        let priorities = [1.0];
        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&priorities)];
        let extensions = [ash::khr::pipeline_executable_properties::NAME.as_ptr()];
        let mut statistics = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        let features = vk::PhysicalDeviceFeatures::default().shader_int64(true);
        let create = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&extensions)
            .enabled_features(&features)
            .push_next(&mut statistics);
        // SAFETY: as for the instance; RADV has these features and this extension on every family, and says so if not.
        let device = unsafe { instance.create_device(physical, &create, None) }?;
        let info = ash::khr::pipeline_executable_properties::Device::new(&instance, &device);
        Ok(NullGpu { name, device, info, instance, _entry: entry })
    }

    /// Compiles a kernel.
    ///
    /// # Errors
    /// naga or the driver cannot.
    pub fn compile(&self, shader: &Shader) -> Result<Compiled, Box<dyn Error>> {
        let words = crate::spirv::spirv(shader)?;
        let bindings: Vec<vk::DescriptorSetLayoutBinding<'_>> = (0..)
            .zip(shader.bindings)
            .map(|(binding, kind)| {
                let kind = match kind {
                    Binding::Uniform => vk::DescriptorType::UNIFORM_BUFFER,
                    Binding::Read | Binding::ReadWrite => vk::DescriptorType::STORAGE_BUFFER,
                };
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding)
                    .descriptor_type(kind)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        // SAFETY: naga made valid SPIR-V of a validated module, its bindings are those of the layout, and every structure and
        // what it points to live until their call returns. The handles are of this device, used while they are alive and
        // destroyed once, after their last use; a call that fails leaves handles until the device is destroyed, which ends this program.
        unsafe {
            let module = self
                .device
                .create_shader_module(&vk::ShaderModuleCreateInfo::default().code(&words), None)?;
            let set = self.device.create_descriptor_set_layout(
                &vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings),
                None,
            )?;
            let sets = [set];
            let layout = self
                .device
                .create_pipeline_layout(&vk::PipelineLayoutCreateInfo::default().set_layouts(&sets), None)?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(c"main");
            let create = vk::ComputePipelineCreateInfo::default()
                .flags(
                    vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                        | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR,
                )
                .stage(stage)
                .layout(layout);
            let pipeline = self
                .device
                .create_compute_pipelines(vk::PipelineCache::null(), &[create], None)
                .map_err(|(_, error)| error)?[0];
            let compiled = self.ask(pipeline);
            self.device.destroy_pipeline(pipeline, None);
            self.device.destroy_pipeline_layout(layout, None);
            self.device.destroy_descriptor_set_layout(set, None);
            self.device.destroy_shader_module(module, None);
            compiled
        }
    }

    fn ask(&self, pipeline: vk::Pipeline) -> Result<Compiled, Box<dyn Error>> {
        let executable = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline);
        // SAFETY: the pipeline is alive, has one executable, and was made with both flags that the calls ask for.
        let statistics = unsafe { self.info.get_pipeline_executable_statistics(&executable) }?;
        let value = |name: &str| {
            let found = statistics.iter().find(|statistic| text(&statistic.name) == name);
            // SAFETY: RADV gives every statistic as a u64, and so is the union read.
            found
                .map(|statistic| unsafe { statistic.value.u64 })
                .ok_or(format!("the driver gives no {name:?}"))
        };
        Ok(Compiled {
            vgprs: value("VGPRs")?,
            sgprs: value("SGPRs")?,
            spills: value("Spilled VGPRs")? + value("Spilled SGPRs")? + value("Scratch size")?,
            lds: value("LDS size")?,
            occupancy: value("Subgroups per SIMD")?,
            instructions: value("Instructions")?,
            assembly: self.assembly(&executable)?,
        })
    }

    fn assembly(&self, executable: &vk::PipelineExecutableInfoKHR<'_>) -> Result<String, Box<dyn Error>> {
        // The first call gives the sizes of the texts, the second the texts.
        // SAFETY: as in `ask`.
        let mut parts = unsafe { self.info.get_pipeline_executable_internal_representations(executable) }?;
        let names: Vec<String> = parts.iter().map(|part| text(&part.name)).collect();
        let index = names.iter().position(|name| name.contains("ssembly"));
        let index = index.ok_or_else(|| format!("the driver gives no assembly, only {names:?}"))?;
        let mut bytes: Vec<Vec<u8>> = parts.iter().map(|part| vec![0; part.data_size]).collect();
        for (part, bytes) in parts.iter_mut().zip(&mut bytes) {
            part.p_data = bytes.as_mut_ptr().cast();
        }
        let mut count = parts.len() as u32;
        // SAFETY: each part points to as many bytes as the driver asked for, which live until after the call.
        unsafe {
            (self.info.fp().get_pipeline_executable_internal_representations_khr)(
                self.info.device(),
                executable,
                &mut count,
                parts.as_mut_ptr(),
            )
        }
        .result()?;
        Ok(CStr::from_bytes_until_nul(&bytes[index])?.to_string_lossy().into_owned())
    }
}

impl Drop for NullGpu {
    fn drop(&mut self) {
        // SAFETY: nothing made from either is left, but of a compilation that failed.
        unsafe {
            self.device.destroy_device(None);
            self.instance.destroy_instance(None);
        }
    }
}

fn text(name: &[c_char]) -> String {
    let bytes: Vec<u8> = name.iter().map(|c| *c as u8).take_while(|c| *c != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
