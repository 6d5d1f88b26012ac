//! The one suite that every device must pass: byte for byte what [`crate::spec`] says, over lengths around every
//! lane count, slices off their alignment, special values and positions. Each check panics where a bit differs.
//!
//! [`crate::conformance_suite`] makes a test of each check for one device.

mod bits;
mod field;
mod matmul;
mod noise;
mod ntt;
mod plan;
mod replicated;
mod shamir;
mod truncation;

pub use bits::{bit_vectors, bits_refused, planes, planes_of_sums};
pub use field::{field_errors, field_powers, fields, polynomials, uniform_elements};
pub use matmul::{batches, matrices};
pub use noise::{noise, noise_tables, noise_trials};
pub use ntt::{transform, transforms, transforms_refused};
pub use plan::{Source, chain, plans, plans_refused};
pub use replicated::replicated;
pub use shamir::{shamir, shamir_of_liars, shamir_of_many, shamir_refused};
pub use truncation::truncation;

use crate::{
    Device, Fixed, KernelError, Laplace, Seed, Stream, Word, chacha, fixed, mask, ring, share, spec,
};

const KEY: [u8; 32] = *b"conformance of devices, key no 1";
const ID: u64 = 0xfedc_ba98_7654_3210;

/// Makes a module of tests, one for each check, of the device that `$open` gives as an `Option<Device>`.
/// `None` skips them; `$open` says why.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_suite {
    ($module:ident, $open:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "`$open` may name nothing of where the module is")]
            use super::*;
            $crate::conformance_suite!(@tests $open; ring keystream masks shares encoding decoding exhaustion errors
                noise noise_tables noise_trials
                bit_vectors planes planes_of_sums bits_refused
                fields field_powers polynomials field_errors uniform_elements transforms transforms_refused
                replicated truncation plans plans_refused
                matrices batches
                shamir shamir_of_many shamir_of_liars shamir_refused);
        }
    };
    (@tests $open:expr; $($check:ident)*) => {
        $(
            #[test]
            fn $check() {
                let device: Option<$crate::Device> = $open;
                if let Some(device) = device {
                    $crate::conformance::$check(&device);
                }
            }
        )*
    };
}

/// Lengths with every rest of every lane count, and around the sizes of passes, batches and workgroups.
pub fn lengths() -> Vec<usize> {
    let mut lengths: Vec<usize> = (0..=70).collect();
    for size in [128, 256, 512, 1024, 2048, 4096, 16384] {
        lengths.extend(size - 1..=size + 1);
    }
    lengths
}

/// First blocks: the start, two where the low word of the counter rolls over within a later pass and within the first, one far out.
fn positions() -> [u64; 4] {
    [0, (1 << 32) - 31, u64::from(u32::MAX), 0x0123_4567_fff0_0001]
}

fn stream(id: u64, block: u64) -> Stream {
    let mut stream = Seed::from_bytes(KEY).stream(id);
    stream.skip(block).expect("a position of the suite");
    stream
}

/// Elements that look random, with those on which carries and signs turn strewn in.
fn elements<T: Word>(id: u64, len: usize) -> Vec<T> {
    let special: [u64; 8] =
        [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1, 0xffff_ffff, 1 << 32, 0x8000_0000_7fff_ffff];
    let mut elements: Vec<T> = spec::mask::words(&KEY, id, 0, len);
    for (i, element) in elements.iter_mut().enumerate().filter(|(i, _)| i % 3 == id as usize % 3) {
        *element = T::from_le(&special[(i / 3 + id as usize) % 8].to_le_bytes()[..size_of::<T>()]);
    }
    elements
}

/// Runs both on slices that start `0`, `1` and `3` elements into a buffer, and compares the whole buffers.
fn compare<T: Copy + PartialEq>(
    what: &str,
    len: usize,
    start: impl Fn(usize) -> Vec<T>,
    device: impl Fn(&mut [T]) -> Result<(), KernelError>,
    defined: impl Fn(&mut [T]),
) {
    for offset in [0, 1, 3] {
        let mut got = start(offset + len + 2);
        let mut want = got.clone();
        device(&mut got[offset..offset + len])
            .unwrap_or_else(|error| panic!("{what}, length {len}: {error}"));
        defined(&mut want[offset..offset + len]);
        if let Some(i) = got.iter().zip(&want).position(|(got, want)| got != want) {
            panic!("{what}, length {len}, offset {offset}: element {i} of the buffer differs");
        }
    }
}

/// Addition, subtraction, multiplication and sums modulo 2^32 and 2^64.
pub fn ring(device: &Device) {
    ring_of::<u32>(device);
    ring_of::<u64>(device);
}

fn ring_of<T: Word>(device: &Device) {
    type Batch<T> = fn(&Device, &mut [T], &[T]) -> Result<(), KernelError>;
    type Defined<T> = fn(&mut [T], &[T]);
    let operations: [(&str, Batch<T>, Defined<T>); 3] = [
        ("ring::add", ring::add, spec::ring::add),
        ("ring::sub", ring::sub, spec::ring::sub),
        ("ring::mul", ring::mul, spec::ring::mul),
    ];
    for len in lengths() {
        let other = elements::<T>(2, len + 1);
        for (name, batch, defined) in operations {
            // The other slice too is off the alignment of a vector.
            let other = &other[1..];
            let start = |len| elements::<T>(1, len);
            compare(name, len, start, |acc| batch(device, acc, other), |acc| defined(acc, other));
        }
        for offset in [0, 1] {
            let values = &elements::<T>(1, len + 1)[offset..];
            let sum = ring::sum(device, values).expect("a sum");
            assert_eq!(sum, spec::ring::sum(values), "ring::sum, length {len}, offset {offset}");
        }
    }
}

/// Keystream bytes at every position.
pub fn keystream(device: &Device) {
    for block in positions() {
        for len in lengths() {
            compare(
                "chacha::keystream",
                len,
                |len| vec![0xa5; len],
                |out: &mut [u8]| chacha::keystream(device, &mut stream(ID, block), out),
                |out| spec::chacha::keystream(&KEY, ID, block, out),
            );
        }
    }
}

/// Masks of both element types, added and taken off, at every position.
pub fn masks(device: &Device) {
    masks_of::<u32>(device);
    masks_of::<u64>(device);
}

fn masks_of<T: Word>(device: &Device) {
    for block in positions() {
        for len in lengths() {
            let start = |len| elements::<T>(3, len);
            compare(
                "mask::add",
                len,
                start,
                |data| mask::add(device, data, &mut stream(ID, block)),
                |data| spec::mask::add(data, &KEY, ID, block),
            );
            compare(
                "mask::sub",
                len,
                start,
                |data| mask::sub(device, data, &mut stream(ID, block)),
                |data| spec::mask::sub(data, &KEY, ID, block),
            );
        }
    }
}

/// Splitting into a correction and up to three masks, expanding them and adding all up again.
pub fn shares(device: &Device) {
    for len in lengths() {
        for masks in 0..4u64 {
            let id = |i| ID ^ i;
            let block = |i| positions()[i as usize];
            let start = |len| elements::<u64>(4, len);
            let split = |secret: &mut [u64]| {
                let mut streams: Vec<Stream> = (0..masks).map(|i| stream(id(i), block(i))).collect();
                share::split(device, secret, &mut streams)?;
                // Consecutive calls go on where the last one stopped.
                assert!(streams.iter().zip(0..).all(|(stream, i)| {
                    stream.position() == u128::from(block(i)) + len.div_ceil(8) as u128
                }));
                Ok(())
            };
            let parts: Vec<_> = (0..masks).map(|i| (&KEY, id(i), block(i))).collect();
            compare("share::split", len, start, split, |secret| spec::share::split(secret, &parts));

            let expanded: Vec<Vec<u64>> = (0..masks)
                .map(|i| {
                    let mut share = vec![0; len];
                    share::expand(device, &mut share, &mut stream(id(i), block(i))).expect("a share");
                    share
                })
                .collect();
            let shares: Vec<&[u64]> = expanded.iter().map(Vec::as_slice).collect();
            compare(
                "share::split and share::reconstruct",
                len,
                start,
                |secret| {
                    split(secret)?;
                    share::reconstruct(device, secret, &shares)
                },
                |_| (),
            );
        }
    }
}

/// Doubles on which rounding, clamping and signs turn, and doubles of random bits.
fn doubles(len: usize) -> Vec<f64> {
    let mut special = vec![0.0, f64::MIN_POSITIVE, f64::from_bits(1), f64::MAX, f64::INFINITY, f64::NAN];
    for exponent in -32..64 {
        for part in [1.0, 1.5, 1.25, 1.0 + f64::EPSILON, 2.0 - f64::EPSILON] {
            special.push(part * 2f64.powi(exponent));
        }
    }
    for half in 0..64 {
        special.push(f64::from(half) / 2.0);
        special.push(f64::from(half) / 2.0 + 2f64.powi(50));
        special.push(f64::from(half) / 2.0 * 2f64.powi(-30));
    }
    let random = spec::mask::words::<u64>(&KEY, 5, 0, len);
    let mixed = random.iter().enumerate().map(|(i, bits)| match i % 3 {
        // Any bits at all; and numbers of everyday size.
        0 => f64::from_bits(*bits),
        1 => *bits as i64 as f64 * 2f64.powi(-((bits % 64) as i32)),
        _ => special[i / 3 % special.len()] * if i / 3 / special.len() % 2 == 0 { 1.0 } else { -1.0 },
    });
    mixed.collect()
}

/// Fixed-point encoding in formats at the ends of their range.
pub fn encoding(device: &Device) {
    let widest = fixed::MAX_BOUND;
    let formats = [(0, -widest, widest), (30, -widest, widest), (16, -1000, 77), (7, 5, 5), (30, 1, widest)];
    let mut cases: Vec<(usize, _)> = lengths().into_iter().map(|len| (len, formats[len % 5])).collect();
    cases.extend(formats.map(|format| (5003, format)));
    for (len, (fraction_bits, min, max)) in cases {
        let format = Fixed::new(fraction_bits, min, max).expect("a format of the suite");
        let values = &doubles(len + 1)[1..];
        compare(
            "fixed::encode",
            len,
            |len| vec![0; len],
            |out| fixed::encode(device, values, format, out),
            |out| spec::fixed::encode(values, format, out),
        );
    }
}

/// Fixed-point decoding, results compared as bits.
pub fn decoding(device: &Device) {
    for (len, fraction_bits) in lengths().into_iter().zip((0..=fixed::MAX_DECODED_BITS).cycle()) {
        // Signed numbers of every size, so that some are rounded and some are not.
        let wide = elements::<u64>(6, len + 1);
        let values: Vec<i64> =
            wide.iter().enumerate().map(|(i, x)| (*x as i64) >> (i * 7 % 64)).skip(1).collect();
        let bits = |out: &mut [u64], decoded: Vec<f64>| {
            out.iter_mut().zip(decoded).for_each(|(out, x)| *out = x.to_bits());
        };
        compare(
            "fixed::decode",
            len,
            |len| vec![0; len],
            |out| {
                let mut decoded = vec![0.0; len];
                fixed::decode(device, &values, fraction_bits, &mut decoded)?;
                bits(out, decoded);
                Ok(())
            },
            |out| {
                let mut decoded = vec![0.0; len];
                spec::fixed::decode(&values, fraction_bits, &mut decoded);
                bits(out, decoded);
            },
        );
    }
}

/// The last blocks of a stream, and the refusal of one more, which leaves data and position as they were.
pub fn exhaustion(device: &Device) {
    let last = u64::MAX - 19;
    let mut got = vec![0; 20 * 64];
    let mut want = got.clone();
    chacha::keystream(device, &mut stream(ID, last), &mut got).expect("twenty blocks are left");
    spec::chacha::keystream(&KEY, ID, last, &mut want);
    assert!(got == want, "the last blocks of a stream");

    let law = Laplace::new(1, 1).expect("a scale of the suite");
    let mut at_end = stream(ID, last);
    let before = elements::<u64>(8, 161);
    let mut data = before.clone();
    let refusals = [
        mask::add(device, &mut data, &mut at_end),
        mask::sub(device, &mut data, &mut at_end),
        share::expand(device, &mut data, &mut at_end),
        share::split(device, &mut data, std::slice::from_mut(&mut at_end)),
        crate::noise::laplace_add(device, &law, &mut at_end, &mut data),
    ];
    assert!(refusals.iter().all(|refusal| matches!(refusal, Err(KernelError::StreamExhausted { .. }))));
    assert!(data == before && at_end.position() == u128::from(last), "a refusal changes nothing");
    mask::add(device, &mut data[1..], &mut at_end).expect("just as many as are left");
    assert_eq!(at_end.position(), 1 << 64);
}

/// Slices of two lengths are refused, and nothing is written.
pub fn errors(device: &Device) {
    let law = |result| matches!(result, Err(KernelError::Length { left: 3, right: 2, .. }));
    let (mut words, mut units, mut doubles) = ([1u64; 3], [1i64; 3], [1.0; 3]);
    let format = Fixed::new(0, 0, 1).expect("a format of the suite");
    assert!(law(ring::add(device, &mut words, &[1; 2])));
    assert!(law(ring::sub(device, &mut words, &[1; 2])));
    assert!(law(ring::mul(device, &mut words, &[1; 2])));
    assert!(law(share::reconstruct(device, &mut words, &[&[1; 3], &[1; 2]])));
    assert!(law(fixed::encode(device, &[1.0; 2], format, &mut units)));
    assert!(law(fixed::decode(device, &[1; 2], 0, &mut doubles)));
    assert!(words == [1; 3] && units == [1; 3] && doubles == [1.0; 3]);
    let too_many = fixed::decode(device, &[1; 3], fixed::MAX_DECODED_BITS + 1, &mut doubles);
    assert_eq!(too_many, Err(KernelError::FractionBits { given: 63, most: 62 }));
}

/// One long vector of `len` words through every family whose data a device might split into parts.
pub fn large(device: &Device, len: usize) {
    let (start, other) = (elements::<u64>(1, len), elements::<u64>(2, len));
    let (mut got, mut want) = (start.clone(), start);
    ring::add(device, &mut got, &other).expect("a sum");
    spec::ring::add(&mut want, &other);
    assert!(got == want, "ring::add of {len} words");
    assert_eq!(ring::sum(device, &got), Ok(spec::ring::sum(&want)), "ring::sum of {len} words");
    mask::sub(device, &mut got, &mut stream(ID, 7)).expect("a mask");
    spec::mask::sub(&mut want, &KEY, ID, 7);
    assert!(got == want, "mask::sub of {len} words");
    let law = Laplace::new(1, 8).expect("a scale of the suite");
    crate::noise::laplace_add(device, &law, &mut stream(ID, 7), &mut got).expect("noise");
    spec::noise::laplace_add(&law, &KEY, ID, 7, &mut want);
    assert!(got == want, "noise::laplace_add of {len} words");
}
