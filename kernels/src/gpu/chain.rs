//! Chains of steps over resident vectors: one dispatch for each of their parts.

use super::Gpu;
use super::buffer::{Room, bound};
use super::resident::{Resident, parts};
use super::results::{Copied, Results};
use crate::chain::{self, Action, Operand};
use crate::plan::{MAX_BUFFERS, MAX_STEPS, MAX_STREAMS};
use crate::stream::BLOCK;
use crate::{KernelError, Word};
use std::ops::Range;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A step whose vectors are on the GPU.
pub(crate) type Step<'a, T> = chain::Step<'a, T, &'a Resident>;

/// One more than a plan's: what the vector holds before may have to be loaded.
const STEPS: usize = 16 + 4;
/// Where steps and streams begin among the words of `struct Program` in `shaders/chain.wgsl`, and how many it has.
const FIRST_STEP: usize = 4;
const FIRST_STREAM: usize = FIRST_STEP + 4 * STEPS;
const STREAM: usize = 12;
const WORDS: usize = FIRST_STREAM + STREAM * MAX_STREAMS;
/// Bytes from one program to the next: as much as any GPU asks for.
const SLOT: u64 = (4 * WORDS as u64).next_multiple_of(256);
/// Sources beside the buffers.
const FROM_STREAM: u32 = MAX_BUFFERS as u32;
const FROM_ITSELF: u32 = FROM_STREAM + 1;
const FROM_CONSTANT: u32 = FROM_STREAM + 2;

const _: () = assert!(MAX_STEPS < STEPS && MAX_BUFFERS == 6 && MAX_STREAMS == 4);

/// What one dispatch is told; wiped when dropped, since keys are in it.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Program([u32; WORDS]);

impl AsRef<[u8]> for Program {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// The steps of a chain and the buffers that they read, each once.
struct Chain<'a, T> {
    steps: &'a [Step<'a, T>],
    sources: Vec<&'a Resident>,
    bytes: usize,
}

impl Action {
    /// Its number in the shader.
    fn code(self) -> u32 {
        match self {
            Action::Take => 0,
            Action::Add => 1,
            Action::Sub => 2,
            Action::Mul => 3,
            Action::Xor => 4,
            Action::And => 5,
            Action::Hold => 6,
            Action::MulHeld => 7,
        }
    }
}

impl<'a, T: Word> Chain<'a, T> {
    fn new(steps: &'a [Step<'a, T>], bytes: usize) -> Self {
        let mut sources: Vec<&Resident> = Vec::new();
        for step in steps {
            if let Operand::Vector(vector) = step.operand
                && !sources.iter().any(|known| std::ptr::eq(*known, vector))
            {
                sources.push(vector);
            }
        }
        Chain { steps, sources, bytes }
    }

    /// The program for some bytes of the vectors, which begins with the target's own where that is not overwritten.
    fn program(&self, part: &Range<usize>, own: bool) -> Program {
        let mut words = [0; WORDS];
        let first = own.then_some([Action::Take.code(), FROM_ITSELF, 0, 0]);
        let mut streams = 0;
        let mut step = |step: &Step<'_, T>| {
            let (source, low, high) = match &step.operand {
                Operand::Vector(vector) => {
                    let known = self.sources.iter().position(|known| std::ptr::eq(*known, *vector));
                    (known.unwrap_or(0) as u32, 0, 0)
                }
                Operand::Stream(span) => {
                    let at = FIRST_STREAM + STREAM * streams;
                    for (word, bytes) in words[at..at + 8].iter_mut().zip(span.key.chunks_exact(4)) {
                        *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                    }
                    let block = span.after((part.start / BLOCK) as u64).block;
                    for (i, value) in [block, span.id].into_iter().enumerate() {
                        words[at + 8 + 2 * i] = value as u32;
                        words[at + 9 + 2 * i] = (value >> 32) as u32;
                    }
                    streams += 1;
                    (FROM_STREAM, streams as u32 - 1, 0)
                }
                Operand::Constant(value) => {
                    let both: [u32; 2] = halves(*value);
                    (FROM_CONSTANT, both[0], both[1])
                }
            };
            [step.action.code(), source, low, high]
        };
        let steps: Vec<[u32; 4]> = first.into_iter().chain(self.steps.iter().map(&mut step)).collect();
        words[..3].copy_from_slice(&[
            part.len().div_ceil(BLOCK) as u32,
            steps.len() as u32,
            (part.len() / 4) as u32,
        ]);
        words[FIRST_STEP..][..4 * steps.len()].copy_from_slice(steps.as_flattened());
        let program = Program(words);
        words.zeroize();
        program
    }
}

/// An element as two words of 32 bits: low and high, or twice the same.
fn halves<T: Word>(value: T) -> [u32; 2] {
    let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&value));
    [words[0], words[words.len() - 1]]
}

impl Gpu {
    /// Changes `target` by the steps; none of their vectors is `target`, and all are as long.
    pub(crate) fn chain_change<T: Word>(
        &self,
        steps: &[Step<'_, T>],
        target: &Resident,
    ) -> Result<(), KernelError> {
        if steps.is_empty() {
            return Ok(());
        }
        let kernel = super::ops::of::<T>("chain_change_u32", "chain_change_u64");
        let chain = Chain::new(steps, target.bytes());
        self.alone(kernel, |room| self.chain(kernel, &chain, Some(target), room)).map(drop)
    }

    /// The sum of what the steps make of `len` zeros.
    pub(crate) fn chain_total<T: Word>(&self, steps: &[Step<'_, T>], len: usize) -> Result<T, KernelError> {
        let kernel = super::ops::of::<T>("chain_total_u32", "chain_total_u64");
        let chain = Chain::new(steps, len * size_of::<T>());
        let parts = self.alone(kernel, |room| self.chain(kernel, &chain, None, room))?;
        Results::new(self, parts).total()
    }

    /// Runs a chain that is not empty. Without a target: the totals of its workgroups.
    fn chain<T: Word>(
        &self,
        kernel: &str,
        chain: &Chain<'_, T>,
        target: Option<&Resident>,
        room: &mut Room,
    ) -> Option<Vec<Copied>> {
        let pipeline = self.pipeline(kernel)?;
        let own = target.is_some() && chain.steps.first().is_some_and(|step| step.action != Action::Take);
        let ranges = || parts(chain.bytes, self.0.binding);
        let (uniforms, key) = self.uniforms(SLOT, ranges().map(|part| chain.program(&part, own)))?;
        // Something to bind where the chain has fewer sources than a program may.
        let nothing = self.buffer("nothing", BLOCK as u64, wgpu::BufferUsages::STORAGE, false);
        let mut results = Vec::new();
        for (index, part) in ranges().enumerate() {
            let groups = (part.len().div_ceil(BLOCK) as u32).div_ceil(pipeline.shader.workgroup_size);
            let usage =
                wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
            let totals = 16 * u64::from(groups);
            let data = match target {
                Some(target) => target.part(index).clone(),
                None => self.buffer("totals", totals, usage, false),
            };
            let mut encoder = self.encoder();
            if index == 0 {
                encoder.copy_buffer_to_buffer(&key, 0, &uniforms, 0, Some(uniforms.size()));
            }
            let program = bound(&uniforms, SLOT * index as u64, 4 * WORDS as u64);
            let sources =
                (0..MAX_BUFFERS).map(|i| chain.sources.get(i).map_or(&nothing, |source| source.part(index)));
            let vectors = [&data].into_iter().chain(sources).map(wgpu::Buffer::as_entire_buffer_binding);
            self.dispatch(&mut encoder, pipeline, [program].into_iter().chain(vectors), groups);
            let result = target.is_none().then(|| {
                let result = self.result(room, totals);
                encoder.copy_buffer_to_buffer(&data, 0, &result, 0, Some(totals));
                encoder.clear_buffer(&data, 0, None);
                result
            });
            if (index + 1) * self.0.binding >= chain.bytes {
                // The keys do not stay behind on the GPU.
                encoder.clear_buffer(&uniforms, 0, None);
            }
            self.0.queue.submit([encoder.finish()]);
            if let Some(result) = result {
                result.map_async(wgpu::MapMode::Read, ..totals, self.noting());
                results.push(Copied { buffer: result, bytes: totals, kept: totals as usize });
            }
        }
        self.finish(&key)?;
        Some(results)
    }
}
