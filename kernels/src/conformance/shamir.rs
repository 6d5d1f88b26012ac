//! Checks of Shamir's secret sharing.

use super::field::elements;
use super::{ID, KEY, compare, positions, stream};
use crate::shamir::Scheme;
use crate::{Device, Field, Field64, KernelError, M61, field, spec};

/// Lengths around the vectors, passes and batches.
const LENGTHS: [usize; 14] = [0, 1, 3, 7, 8, 9, 31, 33, 63, 64, 65, 130, 515, 1031];
/// Parties and threshold: around the points of a pass and of a reduction.
const SCHEMES: [(u32, u32); 9] =
    [(2, 1), (3, 1), (5, 4), (8, 3), (9, 7), (13, 2), (33, 32), (41, 5), (67, 40)];

/// Shares of every party, the secret and lost shares from several sets of them.
pub fn shamir(device: &Device) {
    shamir_of::<M61>(device);
    shamir_of::<Field64>(device);
}

fn shamir_of<F: Field>(device: &Device) {
    for (i, (parties, threshold)) in SCHEMES.into_iter().enumerate() {
        let scheme = Scheme::<F>::new(parties, threshold).expect("a scheme of the suite");
        let lengths = if parties > 20 { &LENGTHS[4 + i % 2..9 + i % 5] } else { &LENGTHS[..] };
        for len in lengths.iter().copied() {
            let block = positions()[(i + len) % 4];
            let secret = &elements::<F>(10, len + 1)[1..];
            let mut shares = vec![F::ONE; len * parties as usize];
            compare(
                "shamir::split",
                shares.len(),
                |len| vec![F::ONE; len],
                |shares| {
                    let mut stream = stream(ID, block);
                    scheme.split(device, secret, &mut stream, shares)?;
                    let blocks = 2 * len.div_ceil(8) * threshold as usize;
                    assert_eq!(stream.position(), u128::from(block) + blocks as u128);
                    Ok(())
                },
                |shares| spec::shamir::split(secret, threshold, (&KEY, ID, block), shares),
            );
            scheme.split(device, secret, &mut stream(ID, block), &mut shares).expect("shares");
            let share = |party: u32| &shares[(party as usize - 1) * len..party as usize * len];
            // The last of them in reverse, and others in another order.
            let last: Vec<u32> = (parties - threshold..=parties).rev().collect();
            let step = if parties.is_multiple_of(2) { parties - 1 } else { 2 };
            let turned: Vec<u32> = (0..=threshold).map(|i| 1 + i * step % parties).collect();
            for chosen in [&last, &turned] {
                let given: Vec<&[F]> = chosen.iter().map(|party| share(*party)).collect();
                for lost in [0, 1, parties] {
                    let weights = match lost {
                        0 => scheme.secret_from(chosen),
                        _ => scheme.share_from(lost, chosen),
                    };
                    let weights = weights.expect("weights");
                    compare(
                        "shamir::reconstruct",
                        len,
                        |len| vec![F::ONE; len],
                        |out| weights.reconstruct(device, &given, out),
                        |out| spec::shamir::reconstruct(chosen, &given, lost, out),
                    );
                    let mut out = vec![F::ONE; len];
                    weights.reconstruct(device, &given, &mut out).expect("a share");
                    assert!(
                        out == if lost == 0 { secret } else { share(lost) },
                        "{parties}, {threshold}, {lost}"
                    );
                }
            }
        }
    }
}

/// Inputs whose sums of products are the largest there can be, over several reductions.
pub fn shamir_of_many(device: &Device) {
    of_many::<M61>(device);
    of_many::<Field64>(device);
}

fn of_many<F: Field>(device: &Device) {
    let most = F::new(F::MODULUS - 1).expect("the largest element");
    let (parties, threshold) = (1100, 1098);
    let scheme = Scheme::<F>::new(parties, threshold).expect("a scheme of the suite");
    let chosen: Vec<u32> = (2..=parties).collect();
    let (low, high) = (F::new(u64::from(u32::MAX)).expect("an element"), [most; 19]);
    let mixed = [low; 19];
    let shares: Vec<&[F]> =
        chosen.iter().map(|party| if party % 3 == 0 { &mixed[..] } else { &high[..] }).collect();
    let mut out = vec![F::ONE; 19];
    let weights = scheme.secret_from(&chosen).expect("weights");
    weights.reconstruct(device, &shares, &mut out).expect("a secret");
    let points: Vec<F> = chosen.iter().filter_map(|party| F::new(u64::from(*party))).collect();
    let weights = field::lagrange_weights(&points, F::ZERO).expect("points that differ");
    let column: Vec<F> = shares.iter().map(|share| share[0]).collect();
    assert!(out == vec![spec::field::dot(&weights, &column); 19]);
}

/// Wrong shares: found, corrected and their parties named; too many of them refused.
pub fn shamir_of_liars(device: &Device) {
    liars_of::<M61>(device);
    liars_of::<Field64>(device);
}

fn liars_of<F: Field>(device: &Device) {
    let parties = [7u32, 1, 4, 2, 9, 5, 8];
    for (threshold, given) in [(1u32, 7usize), (1, 4), (2, 7), (2, 6), (3, 7), (5, 7), (6, 7)] {
        let parties = &parties[..given];
        let scheme = Scheme::<F>::new(9, threshold).expect("a scheme of the suite");
        let decoder = scheme.decoder(parties).expect("a decoder");
        let most = (given - threshold as usize - 1) / 2;
        assert_eq!(decoder.most(), most);
        for len in [1, 9, 70] {
            let secret = elements::<F>(11, len);
            let mut shares = vec![F::ONE; 9 * len];
            spec::shamir::split(&secret, threshold, (&KEY, ID, 5), &mut shares);
            let right: Vec<Vec<F>> = parties
                .iter()
                .map(|party| shares[(*party as usize - 1) * len..*party as usize * len].to_vec())
                .collect();
            let refer = |shares: &[Vec<F>]| {
                let shares: Vec<&[F]> = shares.iter().map(Vec::as_slice).collect();
                let mut out = vec![F::ONE; len];
                let misfits = decoder.misfits(device, &shares).expect("misfits");
                (misfits, decoder.correct(device, &shares, &mut out), out)
            };
            assert_eq!(refer(&right), (vec![], Ok(vec![]), secret.clone()));
            // Other places are wrong in other elements, and some are right.
            let lie = |most: usize| {
                let mut shares = right.clone();
                for i in (0..len).filter(|i| i % 4 != 1) {
                    for place in (0..most).map(|k| (3 * i + 2 * k) % given) {
                        let old = shares[place][i].get();
                        shares[place][i] = F::new((old + 1 + i as u64) % F::MODULUS).expect("a remainder");
                    }
                }
                shares
            };
            let shares = lie(most);
            let views: Vec<&[F]> = shares.iter().map(Vec::as_slice).collect();
            let mut due = vec![F::ONE; len];
            let liars = spec::shamir::correct(parties, threshold, &views, &mut due).expect("correctable");
            assert!(due == secret);
            let wrong = if most == 0 { vec![] } else { (0..len).filter(|i| i % 4 != 1).collect() };
            assert_eq!(refer(&shares), (wrong, Ok(liars), secret.clone()));
            if given == threshold as usize + 1 {
                continue;
            }
            // One more of them in the last element: it is found, and never corrected to what no one sent.
            let mut shares = right.clone();
            for share in &mut shares[..=most] {
                share[len - 1] = if share[len - 1] == F::ONE { F::ZERO } else { F::ONE };
            }
            let views: Vec<&[F]> = shares.iter().map(Vec::as_slice).collect();
            let mut due = vec![F::ONE; len];
            let (misfits, got, out) = refer(&shares);
            assert_eq!(misfits, [len - 1]);
            match spec::shamir::correct(parties, threshold, &views, &mut due) {
                Some(liars) => assert!(got == Ok(liars) && out == due),
                None => {
                    assert_eq!(got, Err(KernelError::TooManyWrong { element: len - 1, most }));
                    assert!(out == vec![F::ONE; len], "a refusal writes nothing");
                }
            }
        }
    }
}

/// What a scheme refuses, by what is wrong with it.
pub fn shamir_refused(device: &Device) {
    for (parties, threshold) in [(5, 0), (5, 5), (0, 0), (1, 1)] {
        assert_eq!(
            Scheme::<M61>::new(parties, threshold),
            Err(KernelError::Threshold { parties, threshold })
        );
    }
    let scheme = Scheme::<M61>::new(5, 2).expect("a scheme of the suite");
    let refusals = [
        (&[1, 2][..], KernelError::TooFewShares { given: 2, needed: 3 }),
        (&[], KernelError::TooFewShares { given: 0, needed: 3 }),
        (&[4, 2, 4], KernelError::SameParty { party: 4 }),
        (&[1, 0, 2], KernelError::PartyIndex { party: 0, parties: 5 }),
        (&[1, 2, 6], KernelError::PartyIndex { party: 6, parties: 5 }),
    ];
    for (parties, refusal) in refusals {
        assert_eq!(scheme.secret_from(parties).err(), Some(refusal.clone()));
        assert_eq!(scheme.share_from(3, parties).err(), Some(refusal.clone()));
        assert_eq!(scheme.decoder(parties).err(), Some(refusal));
    }
    let nobody = KernelError::PartyIndex { party: 6, parties: 5 };
    assert_eq!(scheme.share_from(6, &[1, 2, 3]).err(), Some(nobody));
    assert!(scheme.share_from(0, &[1, 2, 3]).is_err());

    let (secret, mut shares) = ([M61::ONE; 9], [M61::ONE; 45]);
    let mut at_end = stream(ID, u64::MAX - 6);
    let refused = scheme.split(device, &secret, &mut at_end, &mut shares);
    assert_eq!(refused, Err(KernelError::StreamExhausted { needed: 8, left: 7 }));
    let refused = scheme.split(device, &secret, &mut at_end, &mut shares[1..]);
    assert!(matches!(refused, Err(KernelError::Size { given: 44, needed: 45, .. })));
    assert!(shares == [M61::ONE; 45] && at_end.position() == u128::from(u64::MAX - 6));

    let weights = scheme.secret_from(&[1, 2, 3]).expect("weights");
    let decoder = scheme.decoder(&[1, 2, 3]).expect("a decoder");
    let mut out = [M61::ONE; 9];
    let two = [&secret[..]; 2];
    let short = [&secret[..], &secret, &secret[1..]];
    for shares in [&two[..], &short] {
        let refused = weights.reconstruct(device, shares, &mut out);
        assert!(matches!(refused, Err(KernelError::Size { .. })));
        assert!(matches!(decoder.misfits(device, shares), Err(KernelError::Size { .. })));
        assert!(matches!(decoder.correct(device, shares, &mut out), Err(KernelError::Size { .. })));
    }
    assert!(out == [M61::ONE; 9]);
}
