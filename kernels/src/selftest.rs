//! The known answers that a device must give before it may be used.

use crate::fixed::Role;
use crate::noise::Law;
use crate::shamir::Scheme;
use crate::{
    Bernoulli, Binomial, Device, Field, Field64, Fixed, Gaussian, KernelError, Laplace, M61, Plan, Seed,
    Stream, bits, chacha, field, fixed, mask, matmul, noise, ring, share, spec,
};

/// RFC 8439, section 2.3.2: the first sixteen keystream bytes of block 1.
const RFC_START: [u8; 16] =
    [0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4];
/// That section's block counter and nonce as our counter and stream id.
const RFC_BLOCK: u64 = 1 | 0x0900_0000 << 32;
const RFC_ID: u64 = 0x4a00_0000;

/// A length with whole vectors of any level and a rest.
const LEN: usize = 203;
const ID: u64 = 0x0123_4567_89ab_cdef;
/// A block from which the low word of the counter rolls over within the test.
const BLOCK: u64 = (1 << 32) - 9;

/// The first family that gives wrong bits, or fails.
pub(crate) fn fault(device: &Device) -> Option<&'static str> {
    let key: [u8; 32] = std::array::from_fn(|i| i as u8);
    let families: [(&'static str, Check); 12] = [
        ("chacha", chacha),
        ("ring", ring),
        ("mask", mask),
        ("share", share),
        ("fixed", fixed),
        ("noise", noise),
        ("bits", bits),
        ("matmul", matmul),
        ("plan", plan),
        ("field", |device, key| Ok(field::<M61>(device, key)? && field::<Field64>(device, key)?)),
        ("shamir", |device, key| Ok(shamir::<M61>(device, key)? && shamir::<Field64>(device, key)?)),
        ("ntt", ntt),
    ];
    families.into_iter().find(|(_, check)| check(device, &key) != Ok(true)).map(|(family, _)| family)
}

type Check = fn(&Device, &[u8; 32]) -> Result<bool, KernelError>;

fn stream(key: &[u8; 32], id: u64, block: u64) -> Result<Stream, KernelError> {
    let mut stream = Seed::from_bytes(*key).stream(id);
    stream.skip(block)?;
    Ok(stream)
}

/// Words that look random, from the definition of the keystream.
fn words(key: &[u8; 32], id: u64) -> Vec<u64> {
    spec::mask::words(key, id, 0, LEN)
}

fn chacha(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    let mut rfc = [0; 16];
    chacha::keystream(device, &mut stream(key, RFC_ID, RFC_BLOCK)?, &mut rfc)?;
    let (mut got, mut want) = (vec![0; 8 * LEN + 3], vec![0; 8 * LEN + 3]);
    chacha::keystream(device, &mut stream(key, ID, BLOCK)?, &mut got)?;
    spec::chacha::keystream(key, ID, BLOCK, &mut want);
    Ok(rfc == RFC_START && got == want)
}

fn ring(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    let (start, other) = (words(key, 1), words(key, 2));
    let (mut got, mut want) = (start.clone(), start);
    ring::mul(device, &mut got, &other)?;
    spec::ring::mul(&mut want, &other);
    ring::sub(device, &mut got, &other)?;
    spec::ring::sub(&mut want, &other);
    ring::add(device, &mut got[1..], &other[1..])?;
    spec::ring::add(&mut want[1..], &other[1..]);
    Ok(got == want && ring::sum(device, &got)? == spec::ring::sum(&want))
}

fn mask(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    let start: Vec<u32> = spec::mask::words(key, 3, 0, LEN);
    let (mut got, mut want) = (start.clone(), start);
    mask::add(device, &mut got, &mut stream(key, ID, BLOCK)?)?;
    spec::mask::add(&mut want, key, ID, BLOCK);
    Ok(got == want)
}

fn share(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    let secret = words(key, 4);
    let (mut got, mut want) = (secret.clone(), secret.clone());
    share::split(device, &mut got, &mut [stream(key, ID, BLOCK)?, stream(key, 5, 0)?])?;
    spec::share::split(&mut want, &[(key, ID, BLOCK), (key, 5, 0)]);
    let right = got == want;
    let (mut first, mut second) = (vec![0; LEN], vec![0; LEN]);
    share::expand(device, &mut first, &mut stream(key, ID, BLOCK)?)?;
    share::expand(device, &mut second, &mut stream(key, 5, 0)?)?;
    share::reconstruct(device, &mut got, &[&first, &second])?;
    Ok(right && got == secret)
}

fn fixed(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    let format = Fixed::new(3, -(1 << 40), 1 << 40)?;
    let mut values: Vec<f64> = words(key, 6).into_iter().map(f64::from_bits).collect();
    values.extend([0.0625, 0.1875, -0.0625, -0.1875, 1e300, f64::NEG_INFINITY, f64::MIN_POSITIVE]);
    let (mut got, mut want) = (vec![0; values.len()], vec![0; values.len()]);
    fixed::encode(device, &values, format, &mut got)?;
    spec::fixed::encode(&values, format, &mut want);
    let right = got == want;
    let units: Vec<i64> = words(key, 7).into_iter().map(|word| word as i64).collect();
    let (mut got, mut want) = (vec![0.0; LEN], vec![0.0; LEN]);
    fixed::decode(device, &units, 30, &mut got)?;
    spec::fixed::decode(&units, 30, &mut want);
    let right =
        right && fixed::out_of_range(device, &values, format) == spec::fixed::out_of_range(&values, format);
    let (mut share, mut wanted) = (words(key, 11), words(key, 11));
    fixed::truncate(device, &mut share, 13, Role::Other)?;
    spec::fixed::truncate(&mut wanted, 13, Role::Other);
    let right = right && share == wanted;
    Ok(right && got.iter().map(|x| x.to_bits()).eq(want.iter().map(|x| x.to_bits())))
}

fn noise(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    Ok(samples(device, key, &Laplace::new(7, 2)?)?
        && samples(device, key, &Gaussian::new(100, 1)?)?
        && samples(device, key, &Bernoulli::new(1, 3)?)?
        && samples(device, key, &Binomial::new(150)?)?)
}

fn samples(device: &Device, key: &[u8; 32], law: &impl Law) -> Result<bool, KernelError> {
    let (mut got, mut want) = (vec![0; LEN], vec![0; LEN]);
    noise::fill(device, law, &mut stream(key, ID, BLOCK)?, &mut got)?;
    spec::noise::fill(law, key, ID, BLOCK, &mut want);
    let right = got == want;
    let (mut got, mut want) = (words(key, 8), words(key, 8));
    noise::add(device, law, &mut stream(key, ID, BLOCK)?, &mut got)?;
    spec::noise::add(law, key, ID, BLOCK, &mut want);
    Ok(right && got == want)
}

fn bits(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    let (start, other) = (words(key, 9), words(key, 10));
    let (mut got, mut want) = (start.clone(), start.clone());
    bits::and(device, &mut got, &other)?;
    spec::bits::and(&mut want, &other);
    bits::not(device, &mut got)?;
    spec::bits::not(&mut want);
    bits::xor(device, &mut got, &other)?;
    spec::bits::xor(&mut want, &other);
    let right = got == want && bits::ones(device, &got)? == spec::bits::ones(&want);
    bits::shift_left(device, &start, 77, &mut got)?;
    spec::bits::shift_left(&start, 77, &mut want);
    let right = right && got == want;
    bits::shift_right(device, &start, 77, &mut got)?;
    spec::bits::shift_right(&start, 77, &mut want);
    let right = right && got == want;
    let mut planes = vec![0; 64 * bits::plane_words(LEN)];
    let mut wanted = planes.clone();
    bits::to_planes(device, &start, &mut planes)?;
    spec::bits::to_planes(&start, &mut wanted);
    bits::from_planes(device, &planes, &mut got)?;
    Ok(right && planes == wanted && got == start)
}

fn field<F: Field>(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    let reduced = |id| words(key, id).into_iter().map(|word| word % F::MODULUS).collect::<Vec<u64>>();
    let (mut start, other) = (reduced(9), reduced(10));
    start[LEN - 9..].copy_from_slice(&[0, 1, F::MODULUS - 1, 1 << 32, 1 << 48, F::MODULUS >> 1, 2, 3, 4]);
    let (mut got, other) = (field::elements::<F>(&start)?.to_vec(), field::elements::<F>(&other)?);
    let mut want = got.clone();
    field::mul(device, &mut got, other)?;
    spec::field::mul(&mut want, other);
    field::sub(device, &mut got[1..], &other[1..])?;
    spec::field::sub(&mut want[1..], &other[1..]);
    field::mul_add(device, &mut got, other, other)?;
    spec::field::mul_add(&mut want, other, other);
    field::inverse(device, &mut got)?;
    spec::field::inverse(&mut want);
    field::pow(device, &mut got, 5)?;
    spec::field::pow(&mut want, 5);
    field::evaluate(device, &other[..3], &mut got)?;
    spec::field::evaluate(&other[..3], &mut want);
    field::neg(device, &mut got)?;
    spec::field::neg(&mut want);
    field::add(device, &mut got, other)?;
    spec::field::add(&mut want, other);
    let right = got == want && field::dot(device, &got, other)? == spec::field::dot(&want, other);
    field::uniform(device, &mut stream(key, ID, BLOCK)?, &mut got)?;
    spec::field::uniform(key, ID, BLOCK, &mut want);
    Ok(right && got == want)
}

/// A secret that comes back from shares that are right, and from some of which one is wrong.
fn shamir<F: Field>(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    let mut secret = vec![F::ZERO; LEN];
    spec::field::uniform(key, 15, 0, &mut secret);
    let (mut got, mut want) = (vec![F::ZERO; 9 * LEN], vec![F::ZERO; 9 * LEN]);
    let scheme = Scheme::<F>::new(9, 3)?;
    scheme.split(device, &secret, &mut stream(key, ID, BLOCK)?, &mut got)?;
    spec::shamir::split(&secret, 3, (key, ID, BLOCK), &mut want);
    let right = got == want;
    let share = |party: usize| &got[(party - 1) * LEN..party * LEN];
    let mut opened = vec![F::ZERO; LEN];
    let weights = scheme.secret_from(&[9, 2, 5, 6])?;
    weights.reconstruct(device, &[share(9), share(2), share(5), share(6)], &mut opened)?;
    let mut lie = share(2).to_vec();
    lie[7] = if lie[7] == F::ONE { F::ZERO } else { F::ONE };
    let shares = [share(9), &lie, share(5), share(6), share(1), share(3)];
    let mut corrected = vec![F::ZERO; LEN];
    let liars = scheme.decoder(&[9, 2, 5, 6, 1, 3])?.correct(device, &shares, &mut corrected)?;
    Ok(right && opened == secret && corrected == secret && liars == [2])
}

/// Sizes of one element at a time, and of rows.
fn ntt(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    for log in [3, 7] {
        let ntt = field::Ntt::new(log)?;
        let mut got = vec![Field64::ZERO; ntt.size()];
        spec::field::uniform(key, ID, BLOCK, &mut got);
        let (start, mut want) = (got.clone(), got.clone());
        ntt.forward(device, &mut got)?;
        spec::ntt::forward(&mut want);
        if got != want {
            return Ok(false);
        }
        ntt.inverse(device, &mut got)?;
        if got != start {
            return Ok(false);
        }
    }
    Ok(true)
}

fn matmul(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    // Enough for the instructions that only large products are given to.
    let shape = matmul::Shape { rows: 97, inner: 20, columns: 19 };
    let matmul::Shape { rows, inner, columns } = shape;
    let words = |id, len| -> Vec<u64> { spec::mask::words(key, id, 0, len) };
    let (a, b) = (words(12, rows * inner), words(13, inner * columns));
    let mut got = words(14, rows * columns);
    let mut want = got.clone();
    matmul::multiply_add(device, shape, &a, &b, &mut got)?;
    spec::matmul::multiply_add(shape, &a, &b, &mut want);
    let mut right = got == want;
    let narrow = |words: &[u64]| words.iter().map(|word| *word as u32).collect::<Vec<_>>();
    let (mut got_narrow, mut want_narrow) = (narrow(&want), narrow(&want));
    let (a_narrow, b_narrow) = (narrow(&a), narrow(&b));
    matmul::multiply_add(device, shape, &a_narrow, &b_narrow, &mut got_narrow)?;
    spec::matmul::multiply_add(shape, &a_narrow, &b_narrow, &mut want_narrow);
    right &= got_narrow == want_narrow;
    matmul::transpose(device, rows, columns, &want, &mut got)?;
    let mut turned = vec![0; rows * columns];
    spec::matmul::transpose(rows, columns, &want, &mut turned);
    right &= got == turned;
    let prime = |words: &[u64]| {
        let reduced = words.iter().map(|word| M61::new(word % M61::MODULUS).unwrap_or(M61::ZERO));
        reduced.collect::<Vec<_>>()
    };
    let (a, b, mut got) = (prime(&a), prime(&b), prime(&want));
    let mut want = got.clone();
    matmul::multiply_add(device, shape, &a, &b, &mut got)?;
    spec::matmul::multiply_add_field(shape, &a, &b, &mut want);
    Ok(right && got == want)
}

fn plan(device: &Device, key: &[u8; 32]) -> Result<bool, KernelError> {
    let (a, b) = (words(key, 15), words(key, 16));
    let (there, mut target) = (device.upload(&a)?, device.upload(&b)?);
    Plan::new(device, LEN)
        .mul(&there)
        .sub(&mut stream(key, ID, BLOCK)?)
        .mul_add(3, &there)
        .store(&mut target)?;
    let mut want = b;
    spec::ring::mul(&mut want, &a);
    spec::mask::sub(&mut want, key, ID, BLOCK);
    (0..3).for_each(|_| spec::ring::add(&mut want, &a));
    let sum = Plan::new(device, LEN).load(&target).add(&there).sum()?;
    let right = target.download()? == want;
    spec::ring::add(&mut want, &a);
    Ok(right && sum == spec::ring::sum(&want))
}
