//! Shamir's shares, as linear combinations of vectors.

use super::Gpu;
use super::buffer::{Room, SLOT, bound};
use super::field::{of, uniform};
use super::ops::{VECTOR, stream};
use super::params::Params;
use super::results::{Copied, Results};
use crate::field::uniform::{BLOCKS, GROUP};
use crate::field::{words, words_mut};
use crate::stream::Span;
use crate::{Field, KernelError};
use std::ops::Range;

/// Elements of a vector.
const LANES: usize = VECTOR / size_of::<u64>();
/// Elements of a vector are taken by as many: a place in a buffer that any GPU binds, and whole groups of uniform elements.
const STEP: usize = 32;

const _: () = assert!(STEP.is_multiple_of(GROUP) && STEP * size_of::<u64>() == 256);

/// Sums of vectors times public weights. First of the vectors come `drawn` that are uniform, from a span of which each takes `blocks`.
struct Combination<'a> {
    /// One for each vector, result by result.
    weights: &'a [u64],
    drawn: usize,
    span: &'a Span<'a>,
    blocks: u64,
    inputs: &'a [&'a [u64]],
}

/// A block of as many elements of each vector, and where it is in the buffers, in elements.
struct Block {
    elements: Range<usize>,
    /// Elements of a row, filled up.
    across: usize,
    results: usize,
    /// Where the vectors begin, behind the weights.
    first: usize,
    terms: usize,
}

impl Block {
    /// Elements of the weights and of all vectors.
    fn source(&self) -> usize {
        self.first + self.terms * self.across
    }

    /// Elements of the results.
    fn target(&self) -> usize {
        self.results * self.across
    }

    /// Vectors of the results.
    fn pairs(&self) -> u32 {
        (self.target() / LANES) as u32
    }
}

impl Combination<'_> {
    fn terms(&self) -> usize {
        self.drawn + self.inputs.len()
    }

    /// Blocks whose vectors, or whose results, are a part of the usual size.
    fn parts(&self, shard: usize) -> impl Iterator<Item = Block> {
        let (terms, len) = (self.terms(), self.inputs[0].len());
        let results = self.weights.len() / terms;
        let side = (shard / size_of::<u64>() / terms.max(results) / STEP).max(1) * STEP;
        let first = (LANES * self.weights.len()).next_multiple_of(STEP);
        (0..len).step_by(side).map(move |start| {
            let elements = start..len.min(start + side);
            Block { across: elements.len().next_multiple_of(STEP), elements, results, first, terms }
        })
    }

    /// The rows that one dispatch draws: the first block of each is a word away from that of the first one.
    fn draws(&self) -> impl Iterator<Item = Range<usize>> {
        let most = (u64::from(u32::MAX) / self.blocks.max(1)).max(1) as usize;
        let drawn = self.drawn;
        (0..drawn).step_by(most).map(move |row| row..drawn.min(row + most))
    }

    /// What the dispatches of a block are told: those that draw, then that which combines.
    fn params(&self, block: &Block) -> impl Iterator<Item = Params> {
        let groups = (block.across / GROUP) as u32;
        let skipped = BLOCKS * (block.elements.start / GROUP) as u64;
        let drawn = self.draws().map(move |rows| {
            let before = self.blocks * rows.start as u64 + skipped;
            let params = stream(self.span).uniform_rows(groups, self.blocks as u32);
            params.part(groups * rows.len() as u32, before)
        });
        let combined = Params::combination(block.terms, block.across / LANES, block.first / LANES);
        drawn.chain([combined.part(block.pairs(), 0)])
    }
}

impl Gpu {
    /// The shares of all parties, one after the other: binomial coefficients times the secret and what is drawn.
    pub(crate) fn shamir_split<F: Field>(
        &self,
        threshold: u32,
        span: &Span<'_>,
        secret: &[F],
        shares: &mut [F],
    ) -> Result<(), KernelError> {
        let (len, terms) = (secret.len(), threshold as usize + 1);
        // The rows of Pascal's triangle, from that of 1 on. What is drawn comes first, the secret last.
        let mut weights = vec![0; shares.len() / len * terms];
        let mut row = vec![0; terms];
        row[0] = 1;
        for weights in weights.chunks_exact_mut(terms) {
            for k in (1..terms).rev() {
                row[k] = F::add(pulp::Scalar, row[k], row[k - 1]);
            }
            weights[..terms - 1].copy_from_slice(&row[1..]);
            weights[terms - 1] = row[0];
        }
        let combination = Combination {
            weights: &weights,
            drawn: threshold as usize,
            span,
            blocks: BLOCKS * len.div_ceil(GROUP) as u64,
            inputs: &[words(secret)],
        };
        self.combined::<F>(&combination, words_mut(shares))
    }

    /// `out[r len + i]` = the sum over `j` of `weights[r m + j] inputs[j][i]`; there is something of all.
    pub(crate) fn field_combine<F: Field>(
        &self,
        weights: &[u64],
        inputs: &[&[u64]],
        out: &mut [u64],
    ) -> Result<(), KernelError> {
        let span = &Span { key: &[0; 32], id: 0, block: 0 };
        self.combined::<F>(&Combination { weights, drawn: 0, span, blocks: 0, inputs }, out)
    }

    /// A combination, block by block. Nothing is written before all of it is there.
    fn combined<F: Field>(&self, combination: &Combination<'_>, out: &mut [u64]) -> Result<(), KernelError> {
        let kernel = of::<F>("shamir_combine_m61", "shamir_combine_field64");
        let blocks: Vec<Block> = combination.parts(self.shard()).collect();
        let kernels = [uniform::<F>(), kernel];
        let copied = self.alone(kernel, |room| self.try_blocks(room, kernels, combination, &blocks))?;
        for (copied, block) in copied.into_iter().zip(&blocks) {
            let rows = out.chunks_exact_mut(combination.inputs[0].len());
            let rows = rows.map(|row| bytemuck::cast_slice_mut(&mut row[block.elements.clone()]));
            Results::new(self, vec![copied]).write_rows(size_of::<u64>() * block.across, rows)?;
        }
        Ok(())
    }

    /// Draws and combines; one block is under way while the vectors of the next go to the GPU.
    fn try_blocks(
        &self,
        room: &mut Room,
        kernels: [&str; 2],
        combination: &Combination<'_>,
        blocks: &[Block],
    ) -> Option<Vec<Copied>> {
        let [draw, combine] = kernels.map(|name| self.pipeline(name));
        let (draw, combine) = (draw?, combine?);
        let params: Vec<Params> = blocks.iter().flat_map(|block| combination.params(block)).collect();
        let (uniforms, key) = self.uniforms(SLOT, params.into_iter())?;
        // The first block is as large as any.
        let most = blocks.first()?;
        let source = self.working(&mut room.source, bytes(most.source()));
        let target = self.working(&mut room.target, bytes(most.target()));
        let twice: Vec<u64> = combination.weights.iter().flat_map(|weight| [*weight; LANES]).collect();
        self.upload(&source, 0, bytemuck::cast_slice(&twice), bytes(most.first))?;

        let mut slots = (0..).map(|slot: u64| bound(&uniforms, SLOT * slot, Params::SIZE));
        let mut earlier = None;
        let mut copied = Vec::with_capacity(blocks.len());
        for (index, block) in blocks.iter().enumerate() {
            let row = |row: usize| bytes(block.first + row * block.across);
            let (groups, stride) = ((block.across / GROUP) as u32, bytes(block.across) as usize);
            let inputs = combination.inputs.iter().map(|input| &input[block.elements.clone()]);
            let given = row(combination.drawn)..bytes(block.source());
            let inputs = inputs.map(bytemuck::cast_slice);
            self.upload_rows(&source, given.start, inputs, stride, given.end - given.start)?;

            let mut encoder = self.encoder();
            if index == 0 {
                encoder.copy_buffer_to_buffer(&key, 0, &uniforms, 0, Some(uniforms.size()));
            }
            for rows in combination.draws() {
                let elements = bound(&source, row(rows.start), given.end - row(rows.start));
                let workgroups = (groups * rows.len() as u32).div_ceil(draw.shader.workgroup_size);
                self.dispatch(&mut encoder, draw, [slots.next()?, elements], workgroups);
            }
            let results = bytes(block.target());
            let buffers = [slots.next()?, bound(&target, 0, results), bound(&source, 0, given.end)];
            let workgroups = block.pairs().div_ceil(combine.shader.workgroup_size);
            self.dispatch(&mut encoder, combine, buffers, workgroups);
            let result = self.result(room, results);
            encoder.copy_buffer_to_buffer(&target, 0, &result, 0, Some(results));
            if index + 1 == blocks.len() {
                // Neither the key nor the data stay behind on the GPU.
                encoder.clear_buffer(&uniforms, 0, None);
                encoder.clear_buffer(&source, 0, Some(bytes(most.source())));
                encoder.clear_buffer(&target, 0, Some(bytes(most.target())));
            }
            self.submit(&mut earlier, [encoder.finish()])?;
            result.map_async(wgpu::MapMode::Read, ..results, self.noting());
            copied.push(Copied { buffer: result, bytes: results, kept: results as usize });
        }
        self.finish(&key)?;
        Some(copied)
    }
}

/// Bytes of so many elements.
fn bytes(elements: usize) -> u64 {
    (size_of::<u64>() * elements) as u64
}
