//! The number-theoretic transform of `Field64` on the GPU: all passes over a part, or over a transform that is more than one, between one
//! upload and one download.

use super::Gpu;
use super::buffer::{Job, SLOT};
use super::params::Params;
use super::resident::Resident;
use crate::field::ntt::{power, powers};
use crate::field::{elements, words, words_mut};
use crate::{Field64, KernelError};
use std::num::NonZeroU64;
use zeroize::Zeroizing;

const PASS: &str = "ntt_pass";
/// Bytes of a tile, which a workgroup transforms, and the binary logarithm of its elements.
const TILE: usize = size_of::<Field64>() << LEVELS;
const LEVELS: u32 = 10;
/// Invocations of a workgroup.
const LANES: u32 = 256;
/// The most levels of one of several passes: as many columns as then fit into a tile are a cache line.
const MOST: u32 = 7;

/// Bindings that a transform fills at most to stay on the GPU, where it takes twice its own memory and that of two bindings.
const MOST_BINDINGS: usize = 4;

/// Levels of a pass; the last one has those that are left.
fn levels(log: u32) -> u32 {
    if log <= LEVELS { log } else { log.div_ceil(log.div_ceil(MOST)) }
}

impl Gpu {
    /// Transforms of `2^log` elements, as many as there are, with a root of that order.
    pub(crate) fn ntt(
        &self,
        log: u32,
        root: u64,
        scale: u64,
        values: &mut [Field64],
    ) -> Result<(), KernelError> {
        let bytes = size_of::<Field64>() << log;
        if bytes > self.shard().max(TILE) {
            let stays = bytes <= MOST_BINDINGS * self.binding();
            return values.chunks_exact_mut(1 << log).try_for_each(|values| {
                if stays {
                    self.whole(log, root, scale, values)
                } else {
                    self.split(log, root, scale, values)
                }
            });
        }
        // One element is its own transform.
        if values.is_empty() || log == 0 {
            return Ok(());
        }
        self.passes(log, levels(log), root, scale, values)
    }

    /// The same in passes of `most` levels, from 1 to [`LEVELS`].
    pub(super) fn passes(
        &self,
        log: u32,
        most: u32,
        root: u64,
        scale: u64,
        values: &mut [Field64],
    ) -> Result<(), KernelError> {
        let roots = roots(log, most, root);
        let job = Job {
            source: Some(bytemuck::cast_slice(words(values))),
            second: Some(bytemuck::cast_slice(&roots)),
            whole: Some(3),
            passes: log.div_ceil(most),
            together: TILE.max(size_of::<Field64>() << log),
            lanes: LANES,
            ..Job::new(PASS, Params::transform(log, most, scale), size_of_val(values), TILE)
        };
        let results = self.run(&job)?;
        results.write_to(bytemuck::cast_slice_mut(words_mut(values)))
    }

    /// One transform that is more than a part: it goes to the GPU and comes back by parts, and is there whole.
    pub(super) fn whole(
        &self,
        log: u32,
        root: u64,
        scale: u64,
        values: &mut [Field64],
    ) -> Result<(), KernelError> {
        let most = levels(log);
        let mut first = Resident::new(self, size_of_val(values))?;
        let second = Resident::new(self, size_of_val(values))?;
        first.write(bytemuck::cast_slice(words(values)))?;
        let roots = roots(log, most, root);
        self.alone(PASS, |_| self.whole_passes([log, most], scale, &roots, [&first, &second]))?;
        let last = if log.div_ceil(most).is_multiple_of(2) { first } else { second };
        last.read(bytemuck::cast_slice_mut(words_mut(values)))
    }

    /// Transforms from the first vector to the second and back, once for each `most` of `log` levels. Where a vector has several
    /// parts, its columns are brought together, as many as are the largest power of two that a binding holds.
    fn whole_passes(
        &self,
        [log, most]: [u32; 2],
        scale: u64,
        roots: &[u64],
        vectors: [&Resident; 2],
    ) -> Option<()> {
        const WORD: usize = size_of::<Field64>();
        let pipeline = self.pipeline(PASS)?;
        let together = vectors[0].is_whole();
        let bound = if together { log } else { (self.binding() / WORD).max(1 << LEVELS).ilog2() };
        let count = 1u32 << (bound - LEVELS);
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let table = self.buffer("roots", size_of_val(roots) as u64, storage, false);
        self.upload(&table, 0, bytemuck::cast_slice(roots), table.size())?;
        let [columns, results] = ["columns", "results of columns"].map(|label| {
            let size = if together { WORD } else { WORD << bound };
            self.buffer(label, size as u64, storage | wgpu::BufferUsages::COPY_SRC, false)
        });

        let shares = 1usize << (log - bound);
        let passes = log.div_ceil(most);
        let params = (0..passes as usize * shares).map(|slot| {
            let levels = most.min(log - (slot / shares) as u32 * most);
            let first = (slot % shares) << (bound - levels);
            let params = Params::transform(log, most, scale).columns(bound, first);
            params.part(count, 0).pass((slot / shares) as u32)
        });
        let (uniforms, key) = self.uniforms(SLOT, params)?;
        for pass in 0..passes {
            let (before, levels) = (pass * most, most.min(log - pass * most));
            let [from, to] = if pass % 2 == 0 { vectors } else { [vectors[1], vectors[0]] };
            let mut encoder = self.encoder();
            if pass == 0 {
                encoder.copy_buffer_to_buffer(&key, 0, &uniforms, 0, Some(uniforms.size()));
            }
            for share in 0..shares {
                // Columns of this share, and the first one.
                let wide = 1usize << (bound - levels);
                let first = share * wide;
                if !together {
                    for row in 0..1 << levels {
                        let at = (row << (log - levels)) + first;
                        let bytes = WORD * at..WORD * (at + wide);
                        for (part, at, place, len) in from.places(bytes, WORD * row * wide) {
                            encoder.copy_buffer_to_buffer(part, at, &columns, place, Some(len));
                        }
                    }
                }
                let buffers =
                    if together { [to.part(0), from.part(0), &table] } else { [&results, &columns, &table] };
                let place = wgpu::BufferBinding {
                    buffer: &uniforms,
                    offset: SLOT * (pass as usize * shares + share) as u64,
                    size: NonZeroU64::new(Params::SIZE),
                };
                let buffers = buffers.map(wgpu::Buffer::as_entire_buffer_binding);
                self.dispatch(&mut encoder, pipeline, [place].into_iter().chain(buffers), count);
                if together {
                    continue;
                }
                // The results of neighbours are neighbours up to `2^before` columns, and rows of their own beyond.
                let (rows, run) = if wide >> before > 0 { (1, wide << levels) } else { (1 << levels, wide) };
                for row in 0..rows {
                    let block = ((first >> before) << levels) | row;
                    let at = (block << before) | (first & ((1 << before) - 1));
                    let bytes = WORD * at..WORD * (at + run);
                    for (part, at, place, len) in to.places(bytes, WORD * row * run) {
                        encoder.copy_buffer_to_buffer(&results, place, part, at, Some(len));
                    }
                }
            }
            if pass + 1 == passes {
                encoder.clear_buffer(&columns, 0, None);
                encoder.clear_buffer(&results, 0, None);
            }
            self.0.queue.submit([encoder.finish()]);
        }
        self.finish(&key)
    }

    /// One transform that would not leave enough memory: as a matrix, whose columns and rows are transforms of their own.
    fn split(&self, log: u32, root: u64, scale: u64, values: &mut [Field64]) -> Result<(), KernelError> {
        let (wide, tall) = (log / 2, log - log / 2);
        let (columns, rows) = (power(root, 1 << wide), power(root, 1 << tall));
        let mut turned = Zeroizing::new(vec![Field64::default(); values.len()]);
        self.matrix_transpose(1 << tall, 1 << wide, words(values), words_mut(&mut turned))?;
        self.ntt(tall, columns, 1, &mut turned)?;
        let factors: Vec<u64> =
            powers(root).take(1 << wide).flat_map(|base| powers(base).take(1 << tall)).collect();
        self.field_mul(&mut turned, elements(&factors)?)?;
        let mut across = Zeroizing::new(vec![Field64::default(); values.len()]);
        self.matrix_transpose(1 << wide, 1 << tall, words(&turned), words_mut(&mut across))?;
        self.ntt(wide, rows, scale, &mut across)?;
        self.matrix_transpose(1 << tall, 1 << wide, words(&across), words_mut(values))
    }
}

/// Powers of a root of order `2^log` that passes of `most` levels take: the lowest, then those of the highest of them that comes next.
fn roots(log: u32, most: u32, root: u64) -> Vec<u64> {
    let row = 1 << (log - most);
    powers(root).take(row).chain(powers(power(root, row as u64)).take(1 << most)).collect()
}
