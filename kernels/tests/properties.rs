//! Laws of the algebra, and equality with the definitions, on arbitrary inputs at every level.

mod levels;

use levels::devices;
use proptest::collection::vec;
use proptest::prelude::*;
use veilgrid_kernels::noise::{self, Law};
use veilgrid_kernels::{
    Bernoulli, Binomial, Fixed, Gaussian, Laplace, Seed, Skellam, Stream, chacha, fixed, mask, ring, share,
    spec,
};

fn stream(key: [u8; 32], id: u64, block: u64) -> Stream {
    let mut stream = Seed::from_bytes(key).stream(id);
    stream.skip(block).unwrap();
    stream
}

/// A first block with room for what the tests draw, often at the low word's end.
fn block() -> impl Strategy<Value = u64> {
    prop_oneof![0..u64::MAX - 10_000, (1u64 << 32) - 40..1 << 32, Just(0)]
}

fn format() -> impl Strategy<Value = Fixed> {
    let bound = -fixed::MAX_BOUND..=fixed::MAX_BOUND;
    (0..=fixed::MAX_FRACTION_BITS, bound.clone(), bound)
        .prop_map(|(bits, a, b)| Fixed::new(bits, a.min(b), a.max(b)).unwrap())
}

proptest! {
    #[test]
    fn sums_and_products_are_the_rings(pairs in vec((any::<u64>(), any::<u64>()), 0..300)) {
        let (a, b): (Vec<u64>, Vec<u64>) = pairs.iter().copied().unzip();
        for device in devices() {
            let mut difference = a.clone();
            ring::add(&device, &mut difference, &b).unwrap();
            let sum = ring::sum(&device, &difference).unwrap();
            prop_assert_eq!(
                sum,
                ring::sum(&device, &a).unwrap().wrapping_add(ring::sum(&device, &b).unwrap())
            );
            ring::sub(&device, &mut difference, &b).unwrap();
            prop_assert_eq!(&difference, &a);
            let (mut ab, mut ba) = (a.clone(), b.clone());
            ring::mul(&device, &mut ab, &b).unwrap();
            ring::mul(&device, &mut ba, &a).unwrap();
            prop_assert_eq!(ab, ba);
        }
    }

    #[test]
    fn a_keystream_is_the_same_in_one_call_or_in_many(
        key: [u8; 32], id: u64, first in block(), cuts in vec(0usize..9, 0..8), rest in 0usize..700,
    ) {
        for device in devices() {
            let (mut whole, mut parts) = (stream(key, id, first), stream(key, id, first));
            let blocks: usize = cuts.iter().sum();
            let mut at_once = vec![0; blocks * 64 + rest];
            chacha::keystream(&device, &mut whole, &mut at_once).unwrap();
            let mut pieced = Vec::new();
            for len in cuts.iter().map(|blocks| blocks * 64).chain([rest]) {
                let mut piece = vec![0; len];
                chacha::keystream(&device, &mut parts, &mut piece).unwrap();
                pieced.extend(piece);
            }
            prop_assert_eq!(whole.position(), parts.position());
            prop_assert_eq!(at_once, pieced);
        }
    }

    #[test]
    fn a_mask_comes_off_again(key: [u8; 32], id: u64, first in block(), data in vec(any::<u32>(), 0..500)) {
        for device in devices() {
            let mut masked = data.clone();
            mask::add(&device, &mut masked, &mut stream(key, id, first)).unwrap();
            let mut want = data.clone();
            spec::mask::add(&mut want, &key, id, first);
            prop_assert_eq!(&masked, &want);
            mask::sub(&device, &mut masked, &mut stream(key, id, first)).unwrap();
            prop_assert_eq!(&masked, &data);
        }
    }

    #[test]
    fn shares_add_up_to_the_secret(
        secret in vec(any::<u64>(), 0..400), keys in vec(any::<[u8; 32]>(), 0..5), first in block(),
    ) {
        for device in devices() {
            let mut streams: Vec<Stream> = keys.iter().map(|key| stream(*key, 1, first)).collect();
            let mut acc = secret.clone();
            share::split(&device, &mut acc, &mut streams).unwrap();
            let shares: Vec<Vec<u64>> = keys
                .iter()
                .map(|key| {
                    let mut share = vec![0; secret.len()];
                    share::expand(&device, &mut share, &mut stream(*key, 1, first)).unwrap();
                    share
                })
                .collect();
            let shares: Vec<&[u64]> = shares.iter().map(Vec::as_slice).collect();
            share::reconstruct(&device, &mut acc, &shares).unwrap();
            prop_assert_eq!(&acc, &secret);
        }
    }

    #[test]
    fn encoding_is_as_defined_and_within_half_a_unit(bits in vec(any::<u64>(), 0..200), format in format()) {
        // Any double at all, and numbers that no bound cuts off.
        let values: Vec<f64> = bits
            .iter()
            .flat_map(|bits| [f64::from_bits(*bits), (*bits as i64 >> 12) as f64 / 4096.0])
            .collect();
        let mut want = vec![0; values.len()];
        spec::fixed::encode(&values, format, &mut want);
        for device in devices() {
            let mut got = vec![0; values.len()];
            fixed::encode(&device, &values, format, &mut got).unwrap();
            prop_assert_eq!(&got, &want);
            prop_assert!(got.iter().all(|x| (format.min()..=format.max()).contains(x)));
            let mut back = vec![0.0; got.len()];
            fixed::decode(&device, &got, format.fraction_bits(), &mut back).unwrap();
            let unit = 2f64.powi(-(format.fraction_bits() as i32));
            let (min, max) = (format.min() as f64 * unit, format.max() as f64 * unit);
            for (value, back) in values.iter().zip(back).filter(|(value, _)| (min..=max).contains(*value)) {
                prop_assert!((value - back).abs() <= unit / 2.0, "{value} became {back}");
            }
        }
    }

    #[test]
    fn every_scale_is_sampled_as_defined(
        key: [u8; 32], id: u64, first in block(), numerator in 1u64.., shift in 0u32..64, denominator in 1u64..1000,
        len in 0usize..100,
    ) {
        let numerator = (numerator >> shift).max(denominator).min(denominator << 40);
        let law = Laplace::new(numerator, denominator).unwrap();
        let mut want = vec![0; len];
        spec::noise::laplace_fill(&law, &key, id, first, &mut want);
        for device in devices() {
            let mut got = vec![0; len];
            let mut stream = stream(key, id, first);
            noise::laplace_fill(&device, &law, &mut stream, &mut got).unwrap();
            prop_assert_eq!(&got, &want);
            let blocks = len.div_ceil(8) as u128 * (law.digits().len() + 1) as u128;
            prop_assert_eq!(stream.position(), u128::from(first) + blocks);
        }
    }

    #[test]
    fn every_gaussian_is_sampled_as_defined(
        key: [u8; 32], id: u64, first in block(), numerator in 1u64.., shift in 0u32..64, denominator in 1u64..1000,
        len in 0usize..100,
    ) {
        let numerator = (numerator >> shift).max(denominator.div_ceil(8)).min(denominator << 40);
        same_everywhere(&Gaussian::new(numerator, denominator).unwrap(), key, id, first, len)?;
    }

    #[test]
    fn other_laws_are_sampled_as_defined(
        key: [u8; 32], id: u64, first in block(), n in 1u64..1000, d in 1u64..1000, len in 0usize..100,
    ) {
        same_everywhere(&Bernoulli::new(n.min(d), d).unwrap(), key, id, first, len)?;
        same_everywhere(&Skellam::new(n, d.min(64 * n)).unwrap(), key, id, first, len)?;
        same_everywhere(&Binomial::new(2 * n as u32).unwrap(), key, id, first, len)?;
    }
}

fn same_everywhere(
    law: &impl Law,
    key: [u8; 32],
    id: u64,
    first: u64,
    len: usize,
) -> Result<(), TestCaseError> {
    let mut want = vec![0; len];
    spec::noise::fill(law, &key, id, first, &mut want);
    for device in devices() {
        let (mut got, mut added) = (vec![0; len], vec![u64::MAX; len]);
        noise::fill(&device, law, &mut stream(key, id, first), &mut got).unwrap();
        prop_assert_eq!(&got, &want);
        noise::add(&device, law, &mut stream(key, id, first), &mut added).unwrap();
        prop_assert!(added.iter().zip(&want).all(|(sum, noise)| sum.wrapping_add(1) == *noise as u64));
    }
    Ok(())
}
