//! What is measured: every kernel, with the batches of the library that run it.

mod chain;
mod item;
mod matrix;
mod ntt;
mod stream;
mod words;

use super::Work;
use crate::limits::LIMITS;
use item::Item;
use std::time::{Duration, Instant};
use veilgrid_kernels::field::{self, Field};
use veilgrid_kernels::{Device, Field64, KernelError, M61, bits, mask, ring};

/// Words of a tile, and of what a total is made of.
const TILE: usize = 512;
const SUM: usize = 2048;
/// Words of a block of keystream, and blocks of a workgroup.
const BLOCK: usize = 8;
const BLOCKS: usize = 64;
/// Words of a vector, and invocations of a workgroup that takes no tile.
const VECTOR: usize = 2;
const LANES: usize = 256;
/// Places in the parameters, in words.
const BITS: usize = 1;
const LOWER: usize = 6;
const UPPER: usize = 8;

/// How much is worked on. Both are powers of two, at least 4,096 and 64.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Words of a vector.
    pub words: usize,
    /// Rows and columns of a matrix that is multiplied.
    pub side: usize,
}

/// A dispatch of one kernel, and a batch of the library that is the same.
pub struct Case {
    /// The batch.
    pub name: String,
    /// How many units of the kernel's limit.
    pub units: usize,
    /// The fewest instructions, in limb and in native mode.
    pub least: [f64; 2],
    /// Bytes that are read and written.
    pub moved: usize,
    /// The dispatch.
    pub work: Work,
    /// What the host makes of what the kernel left.
    pub host: fn(&[u64]) -> Vec<u64>,
    /// The batch, given the vectors of the dispatch.
    pub batch: Batch,
}

/// A batch of the library: its result, and the time that the library took.
pub type Batch = Box<dyn Fn(&Device, &[Vec<u64>]) -> Result<(Vec<u64>, Duration), KernelError>>;

type Done = Result<(), KernelError>;

impl Case {
    /// A case without vectors, of which each unit takes the minimum.
    fn new(kernel: &str, name: &str, units: usize, batch: Batch) -> Case {
        let limit = LIMITS.iter().find(|limit| limit.kernel == kernel);
        let minimum = limit.map_or([0.0; 2], |limit| limit.minimum);
        Case {
            name: name.to_owned(),
            units,
            least: minimum.map(|minimum| minimum * units as f64),
            moved: 0,
            work: Work { params: vec![Vec::new()], vectors: Vec::new(), groups: 1 },
            host: <[u64]>::to_vec,
            batch,
        }
    }

    fn with(self, moved: usize, params: Vec<u32>, vectors: Vec<Vec<u64>>, groups: usize) -> Case {
        Case { moved, work: Work { params: vec![params], vectors, groups }, ..self }
    }
}

/// A batch that changes a copy of the first vector. It is given all of them, that one too.
fn change<T: Item, U: Item>(batch: impl Fn(&Device, &mut [T], &[&[U]]) -> Done + 'static) -> Batch {
    Box::new(move |device, vectors| {
        let mut first = vectors[0].clone();
        let given = vectors.iter().map(|vector| U::of(vector)).collect::<Result<Vec<_>, _>>()?;
        let acc = T::of_mut(&mut first)?;
        let taken = timed(|| batch(device, acc, &given))?;
        Ok((first, taken))
    })
}

fn timed(batch: impl FnOnce() -> Done) -> Result<Duration, KernelError> {
    let began = Instant::now();
    batch()?;
    Ok(began.elapsed())
}

/// Elements that look random, others for each `salt`.
fn vector<T: Item>(words: usize, salt: u64) -> Vec<u64> {
    let mixed = |i: u64| {
        let x = (4 * i + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    (0..words as u64).map(|i| T::word(mixed(i))).collect()
}

/// Parameters with these words at these places.
fn params(places: &[(usize, u64)]) -> Vec<u32> {
    let mut params = vec![0; UPPER + 2];
    for (at, value) in places {
        params[*at] = *value as u32;
        if *at >= LOWER {
            params[at + 1] = (value >> 32) as u32;
        }
    }
    params
}

/// Every case of a kernel; none of one that is not known.
///
/// # Errors
/// Never in fact: all sizes and laws are valid.
pub fn cases(kernel: &'static str, size: Size) -> Result<Vec<Case>, KernelError> {
    let words = size.words;
    Ok(vec![match kernel {
        "ring_add_u32" => words::zip(kernel, words, "ring::add", ring::add::<u32>),
        "ring_add_u64" => words::zip(kernel, words, "ring::add", ring::add::<u64>),
        "ring_sub_u32" => words::zip(kernel, words, "ring::sub", ring::sub::<u32>),
        "ring_sub_u64" => words::zip(kernel, words, "ring::sub", ring::sub::<u64>),
        "ring_mul_u32" => words::zip(kernel, words, "ring::mul", ring::mul::<u32>),
        "ring_mul_u64" => words::zip(kernel, words, "ring::mul", ring::mul::<u64>),
        "ring_sum_u32" => words::sum::<u32>(kernel, words),
        "ring_sum_u64" => words::sum::<u64>(kernel, words),
        "chacha_keystream" => stream::keystream(kernel, words),
        "mask_add_u32" => stream::mask(kernel, words, "mask::add", mask::add::<u32>),
        "mask_add_u64" => stream::mask(kernel, words, "mask::add", mask::add::<u64>),
        "mask_sub_u32" => stream::mask(kernel, words, "mask::sub", mask::sub::<u32>),
        "mask_sub_u64" => stream::mask(kernel, words, "mask::sub", mask::sub::<u64>),
        "fixed_encode" => words::encode(kernel, words)?,
        "fixed_decode" => words::decode(kernel, words),
        "fixed_truncate" => words::truncate(kernel, words),
        "fixed_truncate_opened" => words::truncate_opened(kernel, words),
        "noise_laplace_fill" | "noise_laplace_add" => stream::laplace(kernel, words)?,
        "noise_table_fill" | "noise_table_add" => return stream::tables(kernel, words),
        "noise_trials_fill" | "noise_trials_add" => stream::trials(kernel, words)?,
        "bits_xor" => words::zip(kernel, words, "bits::xor", bits::xor),
        "bits_and" => words::zip(kernel, words, "bits::and", bits::and),
        "bits_not" => words::alone(kernel, words, "bits::not", bits::not),
        "bits_funnel" => words::funnel(kernel, words),
        "bits_ones" => words::ones(kernel, words),
        "bits_to_planes" => words::to_planes(kernel, words),
        "bits_from_planes" => words::from_planes(kernel, words),
        "field_add_m61" => words::zip(kernel, words, "field::add", field::add::<M61>),
        "field_add_field64" => words::zip(kernel, words, "field::add", field::add::<Field64>),
        "field_sub_m61" => words::zip(kernel, words, "field::sub", field::sub::<M61>),
        "field_sub_field64" => words::zip(kernel, words, "field::sub", field::sub::<Field64>),
        "field_neg_m61" => words::alone(kernel, words, "field::neg", field::neg::<M61>),
        "field_neg_field64" => words::alone(kernel, words, "field::neg", field::neg::<Field64>),
        "field_mul_m61" => words::zip(kernel, words, "field::mul", field::mul::<M61>),
        "field_mul_field64" => words::zip(kernel, words, "field::mul", field::mul::<Field64>),
        "field_mul_add_m61" => words::mul_add::<M61>(kernel, words),
        "field_mul_add_field64" => words::mul_add::<Field64>(kernel, words),
        "field_pow_m61" => words::inverse::<M61>(kernel, words, M61::MODULUS - 2),
        "field_pow_field64" => words::inverse::<Field64>(kernel, words, Field64::MODULUS - 2),
        "field_dot_m61" => words::dot::<M61>(kernel, words),
        "field_dot_field64" => words::dot::<Field64>(kernel, words),
        "field_evaluate_m61" => words::polynomial::<M61>(kernel, words),
        "field_evaluate_field64" => words::polynomial::<Field64>(kernel, words),
        "field_uniform_m61" => stream::uniform::<M61>(kernel, words),
        "field_uniform_field64" => stream::uniform::<Field64>(kernel, words),
        "ntt_pass" => ntt::forward(kernel, words)?,
        "shamir_combine_m61" => matrix::shares::<M61>(kernel, words)?,
        "shamir_combine_field64" => matrix::shares::<Field64>(kernel, words)?,
        "matmul_u32" => matrix::product::<u32>(kernel, size.side),
        "matmul_u64" => matrix::product::<u64>(kernel, size.side),
        "matmul_m61" => matrix::product::<M61>(kernel, size.side),
        "matmul_gather_u32" => matrix::gathered::<u32>(kernel, words),
        "matmul_gather_u64" => matrix::gathered::<u64>(kernel, words),
        "matmul_gather_m61" => matrix::gathered::<M61>(kernel, words),
        "matmul_each_u32" => matrix::small::<u32>(kernel, words),
        "matmul_each_u64" => matrix::small::<u64>(kernel, words),
        "matmul_each_m61" => matrix::small::<M61>(kernel, words),
        "matmul_transpose_u32" => matrix::transpose::<u32>(kernel, words),
        "matmul_transpose_u64" => matrix::transpose::<u64>(kernel, words),
        "chain_change_u32" => return Ok(chain::stored::<u32>(kernel, words)),
        "chain_change_u64" => return Ok(chain::stored::<u64>(kernel, words)),
        "chain_total_u32" => return Ok(chain::summed::<u32>(kernel, words)),
        "chain_total_u64" => return Ok(chain::summed::<u64>(kernel, words)),
        _ => return Ok(Vec::new()),
    }])
}
