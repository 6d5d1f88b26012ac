//! Writes the frozen answers of every family from the definitions in `spec`, but for those of ChaCha20, which are the
//! RFC's, and for what is refused (`refused.json`), which is written by hand.
//!
//! `cargo run -p veilgrid-kernels --example vectors`: a difference in `tests/vectors/` means that the bits have
//! changed, and with them what parties of two versions would compute.

#[allow(dead_code, unreachable_pub, reason = "a module of the tests too, which read what is written here")]
#[path = "../tests/vectors/format.rs"]
mod format;

#[allow(unreachable_pub, reason = "a module of the tests too")]
#[path = "../tests/vectors/calls.rs"]
mod calls;

#[path = "vectors/fields.rs"]
mod fields;

#[path = "vectors/several.rs"]
mod several;

use format::{At, Bits, Drawn, Fixed, Mask, Matmul, Noise, Replicated, Ring, Share, Truncation, words};
use serde::Serialize;
use std::error::Error;
use std::path::Path;
use veilgrid_kernels::fixed::Role;
use veilgrid_kernels::noise::Law;
use veilgrid_kernels::{Bernoulli, Binomial, Field64, Gaussian, Laplace, M61, Skellam, Word, spec};

const KEY: [u8; 32] = *b"frozen answers of the kernels, 1";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    write(&folder, "ring", &[ring::<u32>(32), ring::<u64>(64)])?;
    write(&folder, "mask", &[mask::<u32>(32, 0), mask::<u64>(64, 0xffff_fffe)])?;
    write(&folder, "share", &[share()])?;
    write(
        &folder,
        "fixed",
        &[fixed(0, -(1 << 51), 1 << 51)?, fixed(30, -1_000_000, 77)?, fixed(12, 3, 4095)?],
    )?;
    // The last: exp(-44), between 2^-64 and 2^-63, is one of its powers of q.
    let scales = [(1, 8), (1, 2), (7, 2), (10, 1), (1000, 1), (1 << 40, 1), (32, 11)];
    write(&folder, "noise", &scales.map(|(numerator, denominator)| noise(numerator, denominator)))?;
    write(&folder, "drawn", &all_drawn()?)?;
    write(&folder, "bits", &[bits(1), bits(69), bits(128)])?;
    write(&folder, "truncation", &[truncation(0), truncation(13), truncation(40)])?;
    write(&folder, "matmul", &[matmul::<u32>(32), matmul::<u64>(64)])?;
    write(&folder, "batch", &[several::batch::<u32>(32), several::batch::<u64>(64)])?;
    write(&folder, "matmul_m61", &[fields::matmul()])?;
    write(&folder, "replicated", &[replicated()])?;
    write(&folder, "stream", &[several::stream(0, false)?, several::stream(u64::MAX - 19, true)?])?;
    write(&folder, "adder", &[several::adder(1, 5)?, several::adder(7, 70)?, several::adder(12, 3)?])?;
    write(&folder, "field", &[fields::arithmetic::<M61>(), fields::arithmetic::<Field64>()])?;
    write(&folder, "shamir", &[fields::shamir::<M61>(), fields::shamir::<Field64>()])?;
    write(&folder, "ntt", &[0, 1, 3, 6].map(fields::ntt))?;
    write(&folder, "uniform", &[fields::uniform::<M61>(), fields::uniform::<Field64>()])?;
    Ok(())
}

fn write<T: Serialize>(folder: &Path, name: &str, vectors: &[T]) -> Result<(), Box<dyn Error>> {
    let text = serde_json::to_string_pretty(vectors)?;
    std::fs::write(folder.join(name).with_extension("json"), text + "\n")?;
    Ok(())
}

/// Sixteen values: half look random, half are where carries and signs turn.
fn values(id: u64) -> Vec<u64> {
    let mut values: Vec<u64> = spec::mask::words(&KEY, id, 0, 16);
    values[..8].copy_from_slice(&[0, 1, u64::MAX, 1 << 63, (1 << 63) - 1, 0xffff_ffff, 1 << 32, 0x8000_0000]);
    values.rotate_left(3 * id as usize % 16);
    values
}

fn elements<T: Word>(id: u64) -> Vec<T> {
    values(id).iter().map(|value| T::from_le(&value.to_le_bytes()[..size_of::<T>()])).collect()
}

fn wide<T: Word>(elements: &[T]) -> Vec<String> {
    let bytes = |element: &T| bytes_of(*element);
    words(&elements.iter().map(bytes).collect::<Vec<u64>>())
}

fn bytes_of<T: Word>(element: T) -> u64 {
    let bytes: Vec<u8> = bytemuck::bytes_of(&element).to_vec();
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn ring<T: Word>(bits: u32) -> Ring {
    let (a, b) = (elements::<T>(1), elements::<T>(2));
    let after = |operation: fn(&mut [T], &[T])| {
        let mut acc = a.clone();
        operation(&mut acc, &b);
        wide(&acc)
    };
    Ring {
        bits,
        add: after(spec::ring::add),
        sub: after(spec::ring::sub),
        mul: after(spec::ring::mul),
        sum_of_a: format!("{:x}", bytes_of(spec::ring::sum(&a))),
        a: wide(&a),
        b: wide(&b),
    }
}

/// Two wrong shares in each of two elements, of three parties in all; then three in one.
fn mask<T: Word>(bits: u32, block: u64) -> Mask {
    let data: Vec<T> = [elements::<T>(3), elements::<T>(4)].concat();
    let (mut add, mut sub) = (data.clone(), data.clone());
    spec::mask::add(&mut add, &KEY, 77, block);
    spec::mask::sub(&mut sub, &KEY, 77, block);
    Mask { bits, at: At::new(KEY, 77, block), data: wide(&data), add: wide(&add), sub: wide(&sub) }
}

fn share() -> Share {
    let secret = values(5);
    let masks = [(&KEY, 1, 0), (&KEY, 2, 9)];
    let mut correction = secret.clone();
    spec::share::split(&mut correction, &masks);
    let shares = masks.map(|mask| {
        let mut share = vec![0; secret.len()];
        spec::share::expand(&mut share, mask);
        words(&share)
    });
    Share {
        secret: words(&secret),
        streams: masks.map(|(key, id, block)| At::new(*key, id, block)).to_vec(),
        shares: shares.to_vec(),
        correction: words(&correction),
    }
}

fn fixed(fraction_bits: u32, min: i64, max: i64) -> Result<Fixed, Box<dyn Error>> {
    let unit = 2f64.powi(-(fraction_bits as i32));
    let mut values =
        vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 1e300, -1e300];
    values
        .extend([0.5, 1.5, 2.5, -0.5, -1.5, 0.499_999_999_999_999_94, 3.25, -7.75, 4094.5].map(|x| x * unit));
    values.extend([5e-324, 1125899906842623.5, -1125899906842624.5, 2251799813685248.0]);
    let mut encoded = vec![0; values.len()];
    let format = veilgrid_kernels::Fixed::new(fraction_bits, min, max)?;
    spec::fixed::encode(&values, format, &mut encoded);
    let clamped = |i: &usize| spec::fixed::out_of_range(&values[*i..=*i], format).is_some();
    let units: Vec<i64> = self::values(6).iter().enumerate().map(|(i, x)| (*x as i64) >> (i % 4)).collect();
    let mut decoded = vec![0.0; units.len()];
    spec::fixed::decode(&units, fraction_bits, &mut decoded);
    let bits = |doubles: &[f64]| words(&doubles.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
    let raw = |integers: &[i64]| words(&integers.iter().map(|x| *x as u64).collect::<Vec<_>>());
    Ok(Fixed {
        fraction_bits,
        min,
        max,
        values: bits(&values),
        encoded: raw(&encoded),
        out_of_range: (0..values.len()).filter(clamped).collect(),
        units: raw(&units),
        decoded: bits(&decoded),
    })
}

fn noise(numerator: u64, denominator: u64) -> Noise {
    let law = Laplace::new(numerator, denominator).expect("a scale within the range");
    let mut samples = vec![0; 21];
    spec::noise::laplace_fill(&law, &KEY, 2, 0xffff_fff0, &mut samples);
    Noise {
        numerator,
        denominator,
        zero: format!("{:x}", law.zero_threshold()),
        thresholds: words(law.digits().as_flattened()),
        total_variation: law.total_variation(),
        at: At::new(KEY, 2, 0xffff_fff0),
        samples,
    }
}

fn all_drawn() -> Result<Vec<Drawn>, Box<dyn Error>> {
    let mut vectors = Vec::new();
    for [p, q] in [[0, 1], [1, 3], [1, 1]] {
        let law = Bernoulli::new(p, q)?;
        let refused = vec![[0, 0], [1, 0], [4, 3]];
        vectors.push(drawn("bernoulli", &law, [p, q], (&[law.threshold()], &[1]), refused));
    }
    for [n, d] in [[1, 8], [10, 1], [25, 2], [100, 1], [1 << 40, 1]] {
        let law = Gaussian::new(n, d)?;
        let refused = vec![[0, 1], [1, 0], [1, 9], [(1 << 40) + 1, 1]];
        vectors.push(drawn("gaussian", &law, [n, d], (law.thresholds(), law.weights()), refused));
    }
    for [n, d] in [[1, 64], [3, 1], [3000, 7]] {
        let law = Skellam::new(n, d)?;
        let refused = vec![[0, 1], [1, 0], [1, 65], [(1 << 20) + 1, 1]];
        vectors.push(drawn("skellam", &law, [n, d], (law.thresholds(), &[1]), refused));
    }
    for trials in [2, 128, 150, 4000] {
        let refused = vec![[0, 1], [3, 1], [(1 << 14) + 2, 1]];
        vectors.push(drawn("binomial", &Binomial::new(trials)?, [trials.into(), 1], (&[], &[]), refused));
    }
    Ok(vectors)
}

fn drawn(
    name: &str,
    law: &impl Law,
    parameter: [u64; 2],
    (thresholds, weights): (&[u64], &[u64]),
    refused: Vec<[u64; 2]>,
) -> Drawn {
    let mut samples = vec![0; 21];
    spec::noise::fill(law, &KEY, 3, 0xffff_fff0, &mut samples);
    Drawn {
        law: name.to_owned(),
        parameter,
        thresholds: words(thresholds),
        weights: words(weights),
        total_variation: law.total_variation(),
        at: At::new(KEY, 3, 0xffff_fff0),
        samples,
        refused,
    }
}

fn bits(by: usize) -> Bits {
    let (a, b) = (values(7), values(8));
    let after = |operation: &dyn Fn(&mut [u64])| {
        let mut acc = a.clone();
        operation(&mut acc);
        words(&acc)
    };
    let mut planes = vec![0; 64];
    spec::bits::to_planes(&a, &mut planes);
    Bits {
        xor: after(&|acc| spec::bits::xor(acc, &b)),
        and: after(&|acc| spec::bits::and(acc, &b)),
        not_a: after(&|acc| spec::bits::not(acc)),
        ones_of_a: spec::bits::ones(&a),
        by,
        left: after(&|acc| spec::bits::shift_left(&a, by, acc)),
        right: after(&|acc| spec::bits::shift_right(&a, by, acc)),
        planes: words(&planes),
        b: words(&b),
        a: words(&a),
    }
}

fn truncation(bits: u32) -> Truncation {
    let (share, mask_high) = (values(9), values(10));
    let after = |operation: &dyn Fn(&mut [u64])| {
        let mut acc = share.clone();
        operation(&mut acc);
        words(&acc)
    };
    Truncation {
        bits,
        first: after(&|acc| spec::fixed::truncate(acc, bits, Role::First)),
        other: after(&|acc| spec::fixed::truncate(acc, bits, Role::Other)),
        opened_first: after(&|acc| spec::fixed::truncate_opened(acc, &mask_high, bits, Role::First)),
        opened_other: after(&|acc| spec::fixed::truncate_opened(acc, &mask_high, bits, Role::Other)),
        mask_high: words(&mask_high),
        share: words(&share),
    }
}

fn replicated() -> Replicated {
    let [x, y] = [[values(11), values(12)], [values(13), values(14)]];
    let masks = [(&KEY, 3, 0), (&KEY, 4, 0xffff_fffe)];
    let mut product = vec![0; 16];
    spec::replicated::multiply((&x[0], &x[1]), (&y[0], &y[1]), masks, &mut product);
    Replicated {
        x: x.map(|part| words(&part)),
        y: y.map(|part| words(&part)),
        zero: masks.map(|(key, id, block)| At::new(*key, id, block)),
        product: words(&product),
    }
}

fn matmul<T: Word>(bits: u32) -> Matmul {
    let (rows, inner, columns) = (3, 5, 3);
    let (mut a, mut b, mut acc) = (elements::<T>(15), elements::<T>(16), elements::<T>(17));
    a.truncate(rows * inner);
    b.truncate(inner * columns);
    acc.truncate(rows * columns);
    let mut sums = acc.clone();
    let shape = veilgrid_kernels::matmul::Shape { rows, inner, columns };
    spec::matmul::multiply_add(shape, &a, &b, &mut sums);
    Matmul { bits, rows, inner, columns, a: wide(&a), b: wide(&b), acc: wide(&acc), sums: wide(&sums) }
}
