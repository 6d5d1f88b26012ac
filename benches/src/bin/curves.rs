//! The rate of every family of kernels against how much is done at once, on one core, at each level: several lines for each point,
//! of which `report.py` draws the middle.

use std::error::Error;
use std::hint::black_box;
use veilgrid_benches::{figure, levels, median, seconds};
use veilgrid_kernels::shamir::Scheme;
use veilgrid_kernels::{
    Device, Field, Field64, Gaussian, KernelError, Laplace, Level, M61, Seed, Stream, bits, chacha, field,
    mask, matmul, noise, ring,
};

/// Elements at once, least and most, by the logarithm.
const SIZES: std::ops::RangeInclusive<u32> = 6..=22;
/// Sides of square matrices, by the logarithm.
const SIDES: std::ops::RangeInclusive<u32> = 4..=11;
/// Seconds of a round at least.
const ROUND: f64 = 2e-3;
const ROUNDS: usize = 3;
/// How often all is measured: what disturbs the machine for a while spoils one of the rates of a point.
const SWEEPS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    (0..SWEEPS).try_for_each(|_| sweep())
}

fn sweep() -> Result<(), Box<dyn Error>> {
    for (level, device) in &levels(&[Level::Scalar, Level::Avx2, Level::Avx512])? {
        for log in SIZES.step_by(2) {
            vectors((*level, device), 1 << log)?;
        }
        for log in (6..=20).step_by(2) {
            transform((*level, device), log)?;
        }
    }
    for (level, device) in &levels(&Level::ALL)? {
        for log in SIDES {
            // Minutes of plain code otherwise.
            if *level != Level::Scalar || log <= 9 {
                matrices::<u64>((*level, device), "matrices of u64", 1 << log);
                matrices::<u32>((*level, device), "matrices of u32", 1 << log);
            }
        }
    }
    Ok(())
}

type At<'a> = (Level, &'a Device);

fn stream(id: u64) -> Stream {
    Seed::from_bytes([1; 32]).stream(id)
}

/// Prints the rate of `counted` things that `work` does.
fn point(
    (level, device): At<'_>,
    name: &str,
    size: usize,
    counted: usize,
    mut work: impl FnMut(&Device) -> Result<(), KernelError>,
) {
    let mut once = || work(device).expect("a batch of one length");
    once();
    let repeats = (ROUND / seconds(&mut once).max(1e-9)).ceil() as usize;
    let rounds = (0..ROUNDS).map(|_| seconds(|| (0..repeats).for_each(|_| once()))).collect();
    println!("{name}\t{level}\t{size}\t{}", figure((counted * repeats) as f64 / median(rounds) / 1e6));
}

fn vectors(at: At<'_>, len: usize) -> Result<(), Box<dyn Error>> {
    let mut words = vec![0u64; len];
    ring_like(at, &mut words)?;
    products::<M61>(at, "M61 product", len)?;
    products::<Field64>(at, "Field64 product", len)?;
    let mut planes = words.clone();
    point(at, "integers to bit planes", len, len, |device| {
        bits::to_planes(device, black_box(&words), black_box(&mut planes))
    });
    let scheme = Scheme::<M61>::new(5, 2)?;
    let (secret, mut shares) = (vec![M61::ONE; len], vec![M61::ZERO; 5 * len]);
    let mut random = stream(3);
    point(at, "Shamir split, M61, 3 of 5", len, len, |device| {
        scheme.split(device, black_box(&secret), &mut random, &mut shares)
    });
    Ok(())
}

fn ring_like(at: At<'_>, words: &mut [u64]) -> Result<(), Box<dyn Error>> {
    let len = words.len();
    let (mut random, other) = (stream(1), words.to_vec());
    point(at, "add u64", len, len, |device| ring::add(device, black_box(words), &other));
    point(at, "mul u64", len, len, |device| ring::mul(device, black_box(words), &other));
    point(at, "expand-and-add mask, u64", len, len, |device| {
        mask::add(device, black_box(words), &mut random)
    });
    let mut bytes = vec![0; 8 * len];
    point(at, "ChaCha20 keystream, 8 bytes", len, len, |device| {
        chacha::keystream(device, &mut random, black_box(&mut bytes))
    });
    let (laplace, gaussian) = (Laplace::new(10, 1)?, Gaussian::new(10, 1)?);
    let mut draws = vec![0; len];
    point(at, "discrete Laplace, scale 10", len, len, |device| {
        noise::fill(device, &laplace, &mut random, &mut draws)
    });
    point(at, "discrete Gaussian, scale 10", len, len, |device| {
        noise::fill(device, &gaussian, &mut random, &mut draws)
    });
    Ok(())
}

fn products<F: Field>(at: At<'_>, name: &str, len: usize) -> Result<(), Box<dyn Error>> {
    let mut acc = vec![F::ZERO; len];
    field::uniform(at.1, &mut stream(2), &mut acc)?;
    let other = acc.clone();
    point(at, name, len, len, |device| field::mul(device, black_box(&mut acc), &other));
    Ok(())
}

fn transform(at: At<'_>, log: u32) -> Result<(), Box<dyn Error>> {
    let ntt = field::Ntt::new(log)?;
    let mut values = vec![Field64::ONE; ntt.size()];
    point(at, "transform of Field64", values.len(), values.len(), |device| {
        ntt.forward(device, black_box(&mut values))
    });
    Ok(())
}

fn matrices<T: veilgrid_kernels::Word>(at: At<'_>, name: &str, side: usize) {
    let shape = matmul::Shape { rows: side, inner: side, columns: side };
    let factor: Vec<T> =
        (0..side * side).map(|i| T::from_le(&(i as u64).to_le_bytes()[..size_of::<T>()])).collect();
    let mut acc = factor.clone();
    point(at, name, side, side.pow(3), |device| {
        matmul::multiply_add(device, shape, &factor, &factor, black_box(&mut acc))
    });
}
