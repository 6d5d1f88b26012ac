//! Known answers for every kernel, asked of a GPU each time it is opened: drivers have got integers wrong.

mod chain;
mod field;

use super::Gpu;
use crate::field::elements;
use crate::fixed::Role;
use crate::matmul::Shape;
use crate::noise::Law;
use crate::spec::{self, mask::words};
use crate::stream::Span;
use crate::{Bernoulli, Binomial, Field, Field64, Fixed, Gaussian, KernelError, Laplace, M61, Word};

/// More than one workgroup of each kernel, with a rest.
const LEN: usize = 2 * 64 * 8 + 11;
const KEY: [u8; 32] = *b"known answers of a GPU, key no 1";
const ID: u64 = 0x0123_4567_89ab_cdef;
/// The low word of the counter rolls over within the test.
const BLOCK: u64 = (3 << 32) - 9;

/// An exponent of more than 32 bits.
const EXPONENT: u64 = 0x9_0000_0006;

type Check = fn(&Gpu) -> Result<bool, KernelError>;

/// The first kernel that gives wrong bits, or fails.
pub(super) fn fault(gpu: &Gpu) -> Option<&'static str> {
    let checks: [(&'static str, Check); 66] = [
        ("ring_add_u32", |gpu| zip::<u32>(|acc, other| gpu.add(acc, other), spec::ring::add)),
        ("ring_add_u64", |gpu| zip::<u64>(|acc, other| gpu.add(acc, other), spec::ring::add)),
        ("ring_sub_u32", |gpu| zip::<u32>(|acc, other| gpu.sub(acc, other), spec::ring::sub)),
        ("ring_sub_u64", |gpu| zip::<u64>(|acc, other| gpu.sub(acc, other), spec::ring::sub)),
        ("ring_mul_u32", |gpu| zip::<u32>(|acc, other| gpu.mul(acc, other), spec::ring::mul)),
        ("ring_mul_u64", |gpu| zip::<u64>(|acc, other| gpu.mul(acc, other), spec::ring::mul)),
        ("ring_sum_u32", sum::<u32>),
        ("ring_sum_u64", sum::<u64>),
        ("chacha_keystream", keystream),
        ("mask_add_u32", |gpu| mask::<u32>(|data| gpu.mask_add(&span(), data), spec::mask::add)),
        ("mask_add_u64", |gpu| mask::<u64>(|data| gpu.mask_add(&span(), data), spec::mask::add)),
        ("mask_sub_u32", |gpu| mask::<u32>(|data| gpu.mask_sub(&span(), data), spec::mask::sub)),
        ("mask_sub_u64", |gpu| mask::<u64>(|data| gpu.mask_sub(&span(), data), spec::mask::sub)),
        ("fixed_encode", encode),
        ("fixed_decode", decode),
        ("fixed_truncate", truncate),
        ("fixed_truncate_opened", truncate_opened),
        ("noise_laplace_fill", laplace_fill),
        ("noise_laplace_add", laplace_add),
        ("noise_table_fill", |gpu| {
            Ok(noise(gpu, &Gaussian::new(1 << 40, 3)?, false)? && noise(gpu, &Bernoulli::new(1, 3)?, false)?)
        }),
        ("noise_table_add", |gpu| noise(gpu, &Gaussian::new(100, 1)?, true)),
        ("noise_trials_fill", |gpu| noise(gpu, &Binomial::new(64 + 38)?, false)),
        ("noise_trials_add", |gpu| noise(gpu, &Binomial::new(128)?, true)),
        ("bits_xor", |gpu| zip::<u64>(|acc, other| gpu.xor(acc, other), spec::bits::xor)),
        ("bits_and", |gpu| zip::<u64>(|acc, other| gpu.and(acc, other), spec::bits::and)),
        ("bits_not", bits_not),
        ("bits_funnel", bits_funnel),
        ("bits_ones", bits_ones),
        ("bits_to_planes", to_planes),
        ("bits_from_planes", from_planes),
        ("matmul_u32", |gpu| matmul::<u32>(gpu, TILES)),
        ("matmul_u64", |gpu| matmul::<u64>(gpu, TILES)),
        ("matmul_m61", |gpu| matmul_m61(gpu, TILES)),
        ("matmul_gather_u32", |gpu| matmul::<u32>(gpu, DEEP)),
        ("matmul_gather_u64", |gpu| matmul::<u64>(gpu, DEEP)),
        ("matmul_gather_m61", |gpu| matmul_m61(gpu, DEEP)),
        ("matmul_each_u32", matmul_each::<u32>),
        ("matmul_each_u64", matmul_each::<u64>),
        ("matmul_each_m61", matmul_each_m61),
        ("matmul_transpose_u32", transpose::<u32>),
        ("matmul_transpose_u64", transpose::<u64>),
        ("chain_change_u32", chain::change::<u32>),
        ("chain_change_u64", chain::change::<u64>),
        ("chain_total_u32", chain::total::<u32>),
        ("chain_total_u64", chain::total::<u64>),
        ("field_add_m61", |gpu| field::each::<M61>(|acc, other| gpu.field_add(acc, other), spec::field::add)),
        ("field_add_field64", |gpu| {
            field::each::<Field64>(|acc, other| gpu.field_add(acc, other), spec::field::add)
        }),
        ("field_sub_m61", |gpu| field::each::<M61>(|acc, other| gpu.field_sub(acc, other), spec::field::sub)),
        ("field_sub_field64", |gpu| {
            field::each::<Field64>(|acc, other| gpu.field_sub(acc, other), spec::field::sub)
        }),
        ("field_mul_m61", |gpu| field::each::<M61>(|acc, other| gpu.field_mul(acc, other), spec::field::mul)),
        ("field_mul_field64", |gpu| {
            field::each::<Field64>(|acc, other| gpu.field_mul(acc, other), spec::field::mul)
        }),
        ("field_mul_add_m61", field::mul_add::<M61>),
        ("field_mul_add_field64", field::mul_add::<Field64>),
        ("field_dot_m61", field::dot::<M61>),
        ("field_dot_field64", field::dot::<Field64>),
        ("field_evaluate_m61", field::evaluate::<M61>),
        ("field_evaluate_field64", field::evaluate::<Field64>),
        ("ntt_pass", field::ntt),
        ("field_neg_m61", |gpu| {
            field::each::<M61>(|acc, _| gpu.field_neg(acc), |acc, _| spec::field::neg(acc))
        }),
        ("field_neg_field64", |gpu| {
            field::each::<Field64>(|acc, _| gpu.field_neg(acc), |acc, _| spec::field::neg(acc))
        }),
        ("field_pow_m61", |gpu| {
            field::each::<M61>(
                |acc, _| gpu.field_pow(acc, EXPONENT),
                |acc, _| spec::field::pow(acc, EXPONENT),
            )
        }),
        ("field_pow_field64", |gpu| {
            field::each::<Field64>(
                |acc, _| gpu.field_pow(acc, EXPONENT),
                |acc, _| spec::field::pow(acc, EXPONENT),
            )
        }),
        ("field_uniform_m61", field::uniform::<M61>),
        ("field_uniform_field64", field::uniform::<Field64>),
        ("shamir_combine_m61", field::shamir_split::<M61>),
        ("shamir_combine_field64", field::shamir_split::<Field64>),
    ];
    checks.into_iter().find(|(_, check)| check(gpu) != Ok(true)).map(|(kernel, _)| kernel)
}

fn span() -> Span<'static> {
    Span { key: &KEY, id: ID, block: BLOCK }
}

/// Elements that look random.
fn some<T: Word>(id: u64) -> Vec<T> {
    words(&KEY, id, 0, LEN)
}

fn zip<T: Word>(
    gpu: impl Fn(&mut [T], &[T]) -> Result<(), KernelError>,
    defined: impl Fn(&mut [T], &[T]),
) -> Result<bool, KernelError> {
    let (start, other) = (some::<T>(1), some(2));
    let (mut got, mut want) = (start.clone(), start);
    gpu(&mut got, &other)?;
    defined(&mut want, &other);
    Ok(got == want)
}

fn sum<T: Word>(gpu: &Gpu) -> Result<bool, KernelError> {
    let values = words::<T>(&KEY, 3, 0, 4 * LEN);
    Ok(gpu.sum(&values)? == spec::ring::sum(&values))
}

fn keystream(gpu: &Gpu) -> Result<bool, KernelError> {
    let (mut got, mut want) = (vec![0; 8 * LEN + 3], vec![0; 8 * LEN + 3]);
    gpu.keystream(&span(), &mut got)?;
    spec::chacha::keystream(&KEY, ID, BLOCK, &mut want);
    Ok(got == want)
}

fn mask<T: Word>(
    gpu: impl Fn(&mut [T]) -> Result<(), KernelError>,
    defined: impl Fn(&mut [T], &[u8; 32], u64, u64),
) -> Result<bool, KernelError> {
    let (mut got, mut want) = (some::<T>(4), some::<T>(4));
    gpu(&mut got)?;
    defined(&mut want, &KEY, ID, BLOCK);
    Ok(got == want)
}

/// Numbers of every exponent, and of the few exponents that are neither lost nor clamped, ties among them.
fn encode(gpu: &Gpu) -> Result<bool, KernelError> {
    let format = Fixed::new(11, -(1 << 50), 1 << 51)?;
    let mut values: Vec<f64> = some::<u64>(5).into_iter().map(f64::from_bits).collect();
    values.extend(some::<u64>(6).into_iter().enumerate().map(|(i, bits)| {
        let exponent = 1023 - 14 + (i as u64 % 56);
        f64::from_bits(bits & !(0x7ff << 52) | exponent << 52)
    }));
    values.extend((-40..=40).map(|i| f64::from(i) / 4096.0));
    values.extend([0.0, -0.0, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE / 3.0]);
    let (mut got, mut want) = (vec![0; values.len()], vec![0; values.len()]);
    gpu.encode(&values, format, &mut got)?;
    spec::fixed::encode(&values, format, &mut want);
    Ok(got == want)
}

/// Integers of every length, ties among them.
fn decode(gpu: &Gpu) -> Result<bool, KernelError> {
    let mut values: Vec<i64> =
        some::<u64>(7).into_iter().enumerate().map(|(i, word)| word as i64 >> (i % 64)).collect();
    values.extend((0..64).flat_map(|i| [1 << i, 3 << i, (1 << i) - 1, (1i64 << i).wrapping_neg()]));
    values.extend((0..10).map(|i| (1 << 53) + i));
    let (mut got, mut want) = (vec![0.0; values.len()], vec![0.0; values.len()]);
    gpu.decode(&values, 17, &mut got)?;
    spec::fixed::decode(&values, 17, &mut want);
    Ok(got.iter().map(|x| x.to_bits()).eq(want.iter().map(|x| x.to_bits())))
}

fn truncate(gpu: &Gpu) -> Result<bool, KernelError> {
    let mut right = true;
    for (bits, role, sign) in [(0, Role::Other, u64::MAX), (13, Role::First, 0), (40, Role::Other, u64::MAX)]
    {
        let (mut got, mut want) = (some(14), some(14));
        gpu.truncate(&mut got, bits, sign)?;
        spec::fixed::truncate(&mut want, bits, role);
        right &= got == want;
    }
    Ok(right)
}

fn truncate_opened(gpu: &Gpu) -> Result<bool, KernelError> {
    let high = some(19);
    let mut right = true;
    for (bits, role) in [(0, Role::First), (13, Role::Other), (40, Role::First)] {
        let (mut got, mut want) = (some(14), some(14));
        gpu.truncate_opened(&mut got, &high, bits, role)?;
        spec::fixed::truncate_opened(&mut want, &high, bits, role);
        right &= got == want;
    }
    Ok(right)
}

/// A law of more than 32 digits, so that both words of a sample are used.
fn law() -> Result<Laplace, KernelError> {
    Laplace::new((1 << 40) - 1, 3)
}

fn laplace_fill(gpu: &Gpu) -> Result<bool, KernelError> {
    noise(gpu, &law()?, false)
}

fn laplace_add(gpu: &Gpu) -> Result<bool, KernelError> {
    noise(gpu, &Laplace::new(7, 2)?, true)
}

/// Samples added to what was there, or written.
fn noise(gpu: &Gpu, law: &impl Law, add: bool) -> Result<bool, KernelError> {
    if add {
        let (mut got, mut want) = (some(8), some(8));
        gpu.noise_add(law.sampler(), &span(), &mut got)?;
        spec::noise::add(law, &KEY, ID, BLOCK, &mut want);
        return Ok(got == want);
    }
    let (mut got, mut want) = (vec![0; LEN], vec![0; LEN]);
    gpu.noise_fill(law.sampler(), &span(), &mut got)?;
    spec::noise::fill(law, &KEY, ID, BLOCK, &mut want);
    Ok(got == want)
}

fn bits_not(gpu: &Gpu) -> Result<bool, KernelError> {
    let (mut got, mut want) = (some(9), some(9));
    gpu.not(&mut got)?;
    spec::bits::not(&mut want);
    Ok(got == want)
}

/// Shifts by less than a half of a word and by more.
fn bits_funnel(gpu: &Gpu) -> Result<bool, KernelError> {
    let (high, low) = (some::<u64>(10), some::<u64>(11));
    let mut right = true;
    for by in [1, 31, 32, 47, 63] {
        let mut got = vec![0; LEN];
        gpu.funnel(&high, &low, by, &mut got)?;
        right &= got.iter().zip(high.iter().zip(&low)).all(|(got, (high, low))| {
            u128::from(*got) == (u128::from(*high) << 64 | u128::from(*low)) << by >> 64
        });
    }
    Ok(right)
}

fn bits_ones(gpu: &Gpu) -> Result<bool, KernelError> {
    let values = words::<u64>(&KEY, 12, 0, 4 * LEN);
    Ok(gpu.ones(&values)? == spec::bits::ones(&values))
}

fn to_planes(gpu: &Gpu) -> Result<bool, KernelError> {
    let values = some::<u64>(13);
    let mut got = vec![0; 64 * LEN.div_ceil(64)];
    let mut want = got.clone();
    gpu.to_planes(&values, &mut got)?;
    spec::bits::to_planes(&values, &mut want);
    Ok(got == want)
}

fn from_planes(gpu: &Gpu) -> Result<bool, KernelError> {
    let values = some::<u64>(13);
    let (mut planes, mut back) = (vec![0; 64 * LEN.div_ceil(64)], vec![0; LEN]);
    spec::bits::to_planes(&values, &mut planes);
    gpu.integers_of(&planes, &mut back)?;
    Ok(back == values)
}

/// More than one tile each way and more than one step.
const TILES: Shape = Shape { rows: 35, inner: 37, columns: 67 };
/// Few sums of many products, which workgroups share.
const DEEP: Shape = Shape { rows: 3, inner: 1541, columns: 5 };

fn matmul<T: Word>(gpu: &Gpu, shape: Shape) -> Result<bool, KernelError> {
    let Shape { rows, inner, columns } = shape;
    let (a, b) = (words::<T>(&KEY, 15, 0, rows * inner), words::<T>(&KEY, 16, 0, inner * columns));
    let mut got = words::<T>(&KEY, 17, 0, rows * columns);
    let mut want = got.clone();
    gpu.multiply_add(shape, &a, &b, &mut got)?;
    spec::matmul::multiply_add(shape, &a, &b, &mut want);
    Ok(got == want)
}

/// Elements of which many are the largest: it makes the largest sums.
fn m61(id: u64, len: usize) -> Result<Vec<M61>, KernelError> {
    let largest =
        |i: usize, word: u64| if i.is_multiple_of(3) { M61::MODULUS - 1 } else { word % M61::MODULUS };
    let random = words::<u64>(&KEY, id, 0, len).into_iter().enumerate();
    elements(&random.map(|(i, word)| largest(i, word)).collect::<Vec<_>>()).map(<[M61]>::to_vec)
}

fn matmul_m61(gpu: &Gpu, shape: Shape) -> Result<bool, KernelError> {
    let Shape { rows, inner, columns } = shape;
    let (a, b, mut got) = (m61(15, rows * inner)?, m61(16, inner * columns)?, m61(17, rows * columns)?);
    let mut want = got.clone();
    gpu.multiply_add(shape, &a, &b, &mut got)?;
    spec::matmul::multiply_add_field(shape, &a, &b, &mut want);
    Ok(got == want)
}

/// Sixty products, of sizes that no vector divides.
const EACH: (usize, Shape) = (60, Shape { rows: 2, inner: 7, columns: 5 });

fn matmul_each<T: Word>(gpu: &Gpu) -> Result<bool, KernelError> {
    let (count, shape) = EACH;
    let (a, b) = (words::<T>(&KEY, 15, 0, count * 14), words::<T>(&KEY, 16, 0, count * 35));
    let mut got = words::<T>(&KEY, 17, 0, count * 10);
    let mut want = got.clone();
    gpu.multiply_add_batch(shape, &a, &b, &mut got)?;
    for ((a, b), want) in a.chunks(14).zip(b.chunks(35)).zip(want.chunks_mut(10)) {
        spec::matmul::multiply_add(shape, a, b, want);
    }
    Ok(got == want)
}

fn matmul_each_m61(gpu: &Gpu) -> Result<bool, KernelError> {
    let (count, shape) = EACH;
    let (a, b, mut got) = (m61(15, count * 14)?, m61(16, count * 35)?, m61(17, count * 10)?);
    let mut want = got.clone();
    gpu.multiply_add_batch(shape, &a, &b, &mut got)?;
    for ((a, b), want) in a.chunks(14).zip(b.chunks(35)).zip(want.chunks_mut(10)) {
        spec::matmul::multiply_add_field(shape, a, b, want);
    }
    Ok(got == want)
}

fn transpose<T: Word>(gpu: &Gpu) -> Result<bool, KernelError> {
    let from = words::<T>(&KEY, 18, 0, 35 * 67);
    let (mut got, mut want) = (from.clone(), from.clone());
    gpu.matrix_transpose(35, 67, &from, &mut got)?;
    spec::matmul::transpose(35, 67, &from, &mut want);
    Ok(got == want)
}
