//! A GPU that says how long its own work took.

#![allow(unsafe_code)] // As in the kernels: run-time checks can only be left out by an unsafe call.

use super::median;
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

/// A dispatch, or as many as there are parameters.
pub struct Work {
    /// Parameters of each pass, as the shader has them. Bindings 1 and 2 change places from one pass to the next.
    pub params: Vec<Vec<u32>>,
    /// Binding 1 and those behind it. The last pass writes to binding 1.
    pub vectors: Vec<Vec<u64>>,
    /// Workgroups.
    pub groups: usize,
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

    /// Binding 1 after one run, and the median seconds of a run on the GPU alone.
    ///
    /// # Errors
    /// The GPU fails.
    pub fn run(&self, shader: &Shader, work: &Work) -> Result<(Vec<u64>, f64), Box<dyn Error>> {
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
        let mut vectors: Vec<wgpu::Buffer> =
            work.vectors.iter().map(|words| self.buffer(bytemuck::cast_slice(words), storage)).collect();
        let pipeline = self.pipeline(shader);
        let layout = pipeline.get_bind_group_layout(0);
        let mut groups = Vec::new();
        for (pass, params) in work.params.iter().enumerate() {
            if pass > 0 {
                vectors.swap(0, 1);
            }
            let mut bytes = bytemuck::cast_slice(params).to_vec();
            bytes.resize(PARAMS, 0);
            let params = self.buffer(&bytes, wgpu::BufferUsages::UNIFORM);
            let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
                .zip([&params].into_iter().chain(&vectors))
                .map(|(binding, buffer)| wgpu::BindGroupEntry {
                    binding,
                    resource: buffer.as_entire_binding(),
                })
                .collect();
            let label = Some(shader.name);
            let layout = &layout;
            groups.push(self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label,
                layout,
                entries: &entries,
            }));
        }
        let workgroups = u32::try_from(work.groups)?;
        let seconds = |times: u32| {
            let whole = self.seconds(|pass| {
                pass.set_pipeline(&pipeline);
                for _ in 0..times {
                    for group in &groups {
                        pass.set_bind_group(0, group, &[]);
                        pass.dispatch_workgroups(workgroups, 1, 1);
                    }
                }
            });
            whole.map(|whole| whole / f64::from(times))
        };
        let once = seconds(1)?;
        let result = self.read(&vectors[0])?;
        let result = result.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
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
        // bound (`kernels/src/gpu/pipeline.rs`): `cases` gives vectors of whole tiles, and counts and shapes that are theirs. Those of
        // `roof.rs` copy whole tiles, or write one word of one vector.
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
