//! A GPU that says how long its own work took.

#![allow(unsafe_code)] // As in the kernels: run-time checks can only be left out by an unsafe call.

use super::{Case, median};
use std::error::Error;
use std::time::Instant;
use veilgrid_shaders::{Binding, Mode, Shader};
use wgpu::util::DeviceExt;

/// Bytes of the parameters, more than any kernel reads.
const PARAMS: usize = 16 << 10;
/// Times that each kernel is timed.
const ROUNDS: usize = 21;
/// A GPU that had nothing to do runs at a fraction of its clock. So it works until for so many seconds nothing has become faster, and no longer
/// than that.
const STEADY: f64 = 0.5;
const WARM: f64 = 5.0;
/// Seconds that one timing takes at least.
const LEAST: f64 = 0.001;

/// An open GPU.
pub struct Gpu {
    /// As its driver calls it.
    pub name: String,
    /// Whether it is a program on the CPU.
    pub software: bool,
    /// The modes that it can run, the faster one first.
    pub modes: &'static [Mode],
    device: wgpu::Device,
    queue: wgpu::Queue,
    most: u64,
}

/// What a kernel works on.
pub(super) struct Work<'a> {
    /// Parameters, as `shaders/shared/params.wgsl` has them.
    pub(super) params: &'a [u8],
    /// Binding 1.
    pub(super) target: &'a [u8],
    /// Binding 2.
    pub(super) source: Option<&'a [u8]>,
    /// Workgroups.
    pub(super) groups: u32,
}

impl Gpu {
    /// The strongest GPU, software if there is no other.
    ///
    /// # Errors
    /// There is none, or it cannot tell the time.
    pub fn open() -> Result<Gpu, Box<dyn Error>> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::VULKAN,
            flags: wgpu::InstanceFlags::empty(),
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
        let adapter = found
            .into_iter()
            .min_by_key(|adapter| match adapter.get_info().device_type {
                wgpu::DeviceType::DiscreteGpu => 0,
                wgpu::DeviceType::VirtualGpu => 1,
                wgpu::DeviceType::IntegratedGpu => 2,
                wgpu::DeviceType::Other => 3,
                wgpu::DeviceType::Cpu => 4,
            })
            .ok_or("no Vulkan driver shows a GPU; install its driver and the Vulkan loader")?;
        let info = adapter.get_info();
        let native = adapter.features().contains(wgpu::Features::SHADER_INT64);
        let (modes, integers): (&[Mode], _) = if native {
            (&[Mode::Native, Mode::Limb], wgpu::Features::SHADER_INT64)
        } else {
            (&[Mode::Limb], wgpu::Features::empty())
        };
        let limits = adapter.limits();
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("veilgrid rates"),
            required_features: wgpu::Features::TIMESTAMP_QUERY | integers,
            required_limits: limits.clone(),
            ..wgpu::DeviceDescriptor::default()
        }))?;
        Ok(Gpu {
            name: format!("{}, {} {}", info.name, info.driver, info.driver_info),
            software: info.device_type == wgpu::DeviceType::Cpu,
            modes,
            device,
            queue,
            most: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
        })
    }

    /// The most bytes of a vector.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// The bytes of binding 1 after one run, and the median seconds of a run on the GPU alone.
    pub(super) fn run(&self, shader: &Shader, work: &Work<'_>) -> Result<(Vec<u8>, f64), Box<dyn Error>> {
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
        let mut params = work.params.to_vec();
        params.resize(PARAMS, 0);
        let params = self.buffer(&params, wgpu::BufferUsages::UNIFORM);
        let target = self.buffer(work.target, storage);
        let source = work.source.map(|source| self.buffer(source, storage));
        let pipeline = self.pipeline(shader);
        let mut entries = vec![
            wgpu::BindGroupEntry { binding: 0, resource: params.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: target.as_entire_binding() },
        ];
        entries.extend(
            source
                .as_ref()
                .map(|source| wgpu::BindGroupEntry { binding: 2, resource: source.as_entire_binding() }),
        );
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(shader.name),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        let seconds = |times: u32| {
            let whole = self.seconds(|pass| {
                pass.set_pipeline(&pipeline);
                pass.set_bind_group(0, &group, &[]);
                for _ in 0..times {
                    pass.dispatch_workgroups(work.groups, 1, 1);
                }
            });
            whole.map(|whole| whole / f64::from(times))
        };
        let once = seconds(1)?;
        let result = self.read(&target)?;
        if self.software {
            return Ok((result, once));
        }
        let times = (LEAST / once).ceil().clamp(1.0, 1000.0) as u32;
        let (began, mut last, mut best) = (Instant::now(), Instant::now(), f64::INFINITY);
        while last.elapsed().as_secs_f64() < STEADY && began.elapsed().as_secs_f64() < WARM {
            let now = seconds(times)?;
            if now < 0.99 * best {
                (last, best) = (Instant::now(), now);
            }
        }
        let measured = (0..ROUNDS).map(|_| seconds(times)).collect::<Result<_, _>>()?;
        Ok((result, median(measured)))
    }

    /// The vector after one run of a case, and the median seconds of a run on the GPU alone.
    ///
    /// # Errors
    /// The GPU fails.
    pub fn run_case(
        &self,
        shader: &Shader,
        case: &Case,
        start: &[u64],
        other: &[u64],
    ) -> Result<(Vec<u64>, f64), Box<dyn Error>> {
        let bytes = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let params: Vec<u8> = case.params.iter().flat_map(|word| word.to_le_bytes()).collect();
        let source = (!other.is_empty()).then(|| bytes(other));
        let work = Work {
            params: &params,
            target: &bytes(start),
            source: source.as_deref(),
            groups: u32::try_from(case.groups)?,
        };
        let (result, seconds) = self.run(shader, &work)?;
        let words = result.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        Ok((words, seconds))
    }

    fn pipeline(&self, shader: &Shader) -> wgpu::ComputePipeline {
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
        let layout = self
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let source =
            wgpu::ShaderModuleDescriptor { label, source: wgpu::ShaderSource::Wgsl(shader.source.into()) };
        // SAFETY: the shaders of the table are the kernels', whose accesses are in bounds where the count and whole tiles are
        // bound (`kernels/src/gpu/pipeline.rs`): `cases.rs` gives vectors of whole tiles and their count. That of
        // `roof.rs` writes one word of one vector.
        let module = unsafe {
            self.device.create_shader_module_trusted(source, wgpu::ShaderRuntimeChecks::unchecked())
        };
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        })
    }

    /// Seconds that the GPU takes for one pass.
    fn seconds(&self, work: impl Fn(&mut wgpu::ComputePass<'_>)) -> Result<f64, Box<dyn Error>> {
        let queries = self.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        let stamps = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("time stamps"),
            size: 16,
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                query_set: &queries,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            }),
        });
        work(&mut pass);
        drop(pass);
        encoder.resolve_query_set(&queries, 0..2, &stamps, 0);
        self.queue.submit([encoder.finish()]);
        let stamps = self.read(&stamps)?;
        let (words, _) = stamps.as_chunks();
        let [start, end] = [0, 1].map(|i| u64::from_le_bytes(words[i]));
        Ok(end.saturating_sub(start) as f64 * f64::from(self.queue.get_timestamp_period()) * 1e-9)
    }

    fn buffer(&self, contents: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents, usage })
    }

    fn read(&self, buffer: &wgpu::Buffer) -> Result<Vec<u8>, Box<dyn Error>> {
        let copy = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("results"),
            size: buffer.size(),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &copy, 0, Some(buffer.size()));
        self.queue.submit([encoder.finish()]);
        copy.map_async(wgpu::MapMode::Read, .., |_| {});
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        let bytes = copy.get_mapped_range(..)?.to_vec();
        Ok(bytes)
    }
}
