//! Any secret, any scheme and any parties: what is split comes back at every level, and lies do not get through.

mod levels;

use levels::devices;
use proptest::collection::vec;
use proptest::prelude::*;
use veilgrid_kernels::shamir::Scheme;
use veilgrid_kernels::{Device, Field, Field64, KernelError, M61, Seed, field, spec};

/// A scheme, and some of its parties in any order, enough to reconstruct.
fn chosen() -> impl Strategy<Value = (u32, u32, Vec<u32>)> {
    let scheme = (2u32..12).prop_flat_map(|parties| (Just(parties), 1..parties));
    let shuffled = scheme.prop_flat_map(|(parties, threshold)| {
        let all: Vec<u32> = (1..=parties).collect();
        (Just(parties), Just(threshold), Just(all).prop_shuffle(), threshold as usize + 1..=parties as usize)
    });
    shuffled.prop_map(|(parties, threshold, all, given)| (parties, threshold, all[..given].to_vec()))
}

fn elements<F: Field>(words: &[u64]) -> Vec<F> {
    words.iter().map(|word| F::new(word % F::MODULUS).unwrap()).collect()
}

type Choice = (u32, u32, Vec<u32>);
/// Which share of which element is wrong, and by how much.
type Lie = (prop::sample::Index, prop::sample::Index, u64);

fn split<F: Field>(
    device: &Device,
    (parties, threshold, chosen): &Choice,
    secret: &[F],
    key: [u8; 32],
) -> (Scheme<F>, Vec<Vec<F>>) {
    let scheme = Scheme::<F>::new(*parties, *threshold).unwrap();
    let mut shares = vec![F::ZERO; secret.len() * *parties as usize];
    scheme.split(device, secret, &mut Seed::from_bytes(key).stream(1), &mut shares).unwrap();
    let mut want = shares.clone();
    spec::shamir::split(secret, *threshold, (&key, 1, 0), &mut want);
    assert!(shares == want);
    let share = |party: &u32| shares[(*party as usize - 1) * secret.len()..][..secret.len()].to_vec();
    (scheme, chosen.iter().map(share).collect())
}

fn comes_back<F: Field>(choice: &Choice, words: &[u64], key: [u8; 32]) -> Result<(), TestCaseError> {
    let (secret, other) =
        (elements::<F>(words), elements::<F>(&words.iter().rev().copied().collect::<Vec<_>>()));
    for device in devices() {
        let (scheme, shares) = split(&device, choice, &secret, key);
        let (_, others) = split(&device, choice, &other, [7; 32]);
        let views: Vec<&[F]> = shares.iter().map(Vec::as_slice).collect();
        let weights = scheme.secret_from(&choice.2).unwrap();
        let mut out = vec![F::ONE; secret.len()];
        weights.reconstruct(&device, &views, &mut out).unwrap();
        prop_assert!(out == secret);
        // Shares of a sum are sums of shares.
        let mut sums = shares.clone();
        for (sum, other) in sums.iter_mut().zip(&others) {
            field::add(&device, sum, other).unwrap();
        }
        let views: Vec<&[F]> = sums.iter().map(Vec::as_slice).collect();
        weights.reconstruct(&device, &views, &mut out).unwrap();
        let mut sum = secret.clone();
        spec::field::add(&mut sum, &other);
        prop_assert!(out == sum);
        prop_assert!(scheme.decoder(&choice.2).unwrap().misfits(&device, &views).unwrap().is_empty());
    }
    Ok(())
}

fn lies<F: Field>(choice: &Choice, words: &[u64], lies: &[Lie]) -> Result<(), TestCaseError> {
    let secret = elements::<F>(words);
    for device in devices() {
        let (scheme, mut shares) = split(&device, choice, &secret, [3; 32]);
        let decoder = scheme.decoder(&choice.2).unwrap();
        let right = shares.clone();
        for (place, element, by) in lies {
            let (place, element) = (place.index(shares.len()), element.index(secret.len()));
            spec::field::add(&mut shares[place][element..=element], &elements(&[*by]));
        }
        // What is wrong in each element, which may be nothing after all.
        let wrong =
            |element: usize| (0..shares.len()).filter(|j| shares[*j][element] != right[*j][element]).count();
        let views: Vec<&[F]> = shares.iter().map(Vec::as_slice).collect();
        let misfits = decoder.misfits(&device, &views).unwrap();
        let spare = shares.len() - scheme.needed();
        for element in 0..secret.len() {
            match wrong(element) {
                0 => prop_assert!(!misfits.contains(&element)),
                some if some <= spare => prop_assert!(misfits.contains(&element)),
                _ => {}
            }
        }
        let mut out = vec![F::ONE; secret.len()];
        let got = decoder.correct(&device, &views, &mut out);
        let mut due = vec![F::ONE; secret.len()];
        match spec::shamir::correct(&choice.2, choice.1, &views, &mut due) {
            // Without shares to spare, whatever there is fits.
            Some(liars) => prop_assert!(got == Ok(liars) && out == due),
            None => {
                let refused = matches!(got, Err(KernelError::TooManyWrong { .. }));
                prop_assert!(refused);
            }
        }
        if (0..secret.len()).all(|element| wrong(element) <= decoder.most()) {
            prop_assert!(out == secret);
        }
    }
    Ok(())
}

fn some_lies() -> impl Strategy<Value = Vec<Lie>> {
    vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u64>()), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn m61_comes_back(choice in chosen(), words in vec(any::<u64>(), 1..150), key: [u8; 32]) {
        comes_back::<M61>(&choice, &words, key)?;
    }

    #[test]
    fn field64_comes_back(choice in chosen(), words in vec(any::<u64>(), 1..150), key: [u8; 32]) {
        comes_back::<Field64>(&choice, &words, key)?;
    }

    #[test]
    fn lies_in_m61_are_found(choice in chosen(), words in vec(any::<u64>(), 1..5), told in some_lies()) {
        lies::<M61>(&choice, &words, &told)?;
    }

    #[test]
    fn lies_in_field64_are_found(choice in chosen(), words in vec(any::<u64>(), 1..5), told in some_lies()) {
        lies::<Field64>(&choice, &words, &told)?;
    }
}

/// The shares of a secret that is always the same, of as many parties as learn nothing, are spread as evenly as those
/// of another: one party of two, and two of three together.
#[test]
fn shares_below_the_threshold_look_alike() {
    let device = Device::cpu().unwrap();
    const LEN: usize = 1 << 18;
    for (parties, threshold) in [(2u32, 1u32), (3, 2)] {
        let scheme = Scheme::<M61>::new(parties, threshold).unwrap();
        let secret = vec![M61::ONE; LEN];
        let mut shares = vec![M61::ZERO; LEN * parties as usize];
        scheme.split(&device, &secret, &mut Seed::from_bytes([5; 32]).stream(0), &mut shares).unwrap();
        // Three bits of each of the last shares: cells of equal size, to within 2^-58.
        let rows: Vec<&[M61]> = shares.chunks(LEN).rev().take(threshold as usize).collect();
        let cells = 1 << (3 * threshold);
        let mut counts = vec![0f64; cells];
        for i in 0..LEN {
            let cell = rows.iter().fold(0, |cell, row| cell << 3 | (row[i].get() >> 58) as usize);
            counts[cell] += 1.0;
        }
        let due = LEN as f64 / cells as f64;
        let chi: f64 = counts.iter().map(|count| (count - due).powi(2) / due).sum();
        // Mean and deviation of chi-square; the stream is fixed, so this passes always or never.
        let freedom = (cells - 1) as f64;
        assert!((chi - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(), "{chi} of {freedom}");
    }
}
