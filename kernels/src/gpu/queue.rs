//! Commands of the GPU, and waiting for them.

use super::Gpu;
use super::pipeline::Pipeline;
use std::time::Duration;

/// How long the GPU may work on what was last submitted. A part is some milliseconds on a GPU and some seconds
/// in software, so this is a GPU that hangs.
const PATIENCE: Duration = Duration::from_secs(180);

impl Gpu {
    /// Runs a kernel once with these buffers, from binding 0 on.
    pub(super) fn dispatch<'a>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        pipeline: &Pipeline,
        buffers: impl IntoIterator<Item = wgpu::BufferBinding<'a>>,
        groups: u32,
    ) {
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: wgpu::BindingResource::Buffer(buffer),
            })
            .collect();
        let group = self.0.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(pipeline.shader.name),
            layout: &pipeline.layout,
            entries: &entries,
        });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline.compiled);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(groups, 1, 1);
    }

    pub(super) fn pipeline(&self, kernel: &str) -> Option<&Pipeline> {
        self.0.pipelines.iter().find(|pipeline| pipeline.shader.name == kernel)
    }

    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        self.0.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    /// Submits commands and waits for the earlier ones: one part is under way while the next is copied, and no more memory is taken.
    pub(super) fn submit(
        &self,
        earlier: &mut Option<wgpu::SubmissionIndex>,
        commands: impl IntoIterator<Item = wgpu::CommandBuffer>,
    ) -> Option<()> {
        match earlier.replace(self.0.queue.submit(commands)) {
            Some(earlier) => self.wait(Some(&earlier)),
            None => Some(()),
        }
    }

    /// Waits for one submission, or for all.
    pub(super) fn wait(&self, submission: Option<&wgpu::SubmissionIndex>) -> Option<()> {
        let wait = wgpu::PollType::Wait { submission_index: submission.cloned(), timeout: Some(PATIENCE) };
        match self.0.device.poll(wait) {
            Ok(_) => Some(()),
            Err(wgpu::PollError::Timeout) => {
                self.0.fault.lose(&format!("it did not answer for {} s", PATIENCE.as_secs()));
                None
            }
            Err(error) => {
                self.0.fault.note(error.to_string());
                None
            }
        }
    }

    /// What hears whether a buffer could be mapped.
    pub(super) fn noting(&self) -> impl FnOnce(Result<(), wgpu::BufferAsyncError>) + Send + 'static {
        let fault = self.0.fault.clone();
        move |result| {
            if let Err(error) = result {
                fault.note(format!("results cannot be read back: {error}"));
            }
        }
    }
}
