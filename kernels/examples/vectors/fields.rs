//! Frozen answers in the prime fields.

use super::KEY;
use super::format::{self, At, Matmul, words};
use veilgrid_kernels::{Field, Field64, M61, field, spec};

/// Elements that look random, and those where carries and reductions turn.
pub(super) fn arithmetic<F: Field>() -> format::Field {
    let p = F::MODULUS;
    let reduced = |id: u64, special: [u64; 8]| {
        let mut words: Vec<u64> = spec::mask::words(&KEY, id, 0, 16);
        words[4..12].copy_from_slice(&special);
        words.iter().map(|word| F::new(word % p).expect("a remainder")).collect::<Vec<F>>()
    };
    let a = reduced(21, [0, 1, p - 1, p - 2, 1 << 32, (1 << 32) - 1, 1 << 48, p / 2]);
    let b = reduced(22, [p - 1, p - 1, p - 1, 2, 1 << 32, 1 << 60, 1 << 48, p / 2 + 1]);
    let text = |elements: &[F]| words(field::words(elements));
    let after = |operation: &dyn Fn(&mut [F])| {
        let mut acc = a.clone();
        operation(&mut acc);
        text(&acc)
    };
    let mut values = b.clone();
    spec::field::evaluate(&a[..5], &mut values);
    let (points, at, exponent) = (&b[11..], a[0], 0x9_0000_0006);
    format::Field {
        name: F::NAME.to_owned(),
        modulus: format!("{p:x}"),
        add: after(&|acc| spec::field::add(acc, &b)),
        sub: after(&|acc| spec::field::sub(acc, &b)),
        mul: after(&|acc| spec::field::mul(acc, &b)),
        neg_of_a: after(&|acc| spec::field::neg(acc)),
        a_plus_a_times_b: after(&|acc| spec::field::mul_add(acc, &a, &b)),
        inverse_of_a: after(&|acc| spec::field::inverse(acc)),
        exponent: format!("{exponent:x}"),
        power_of_a: after(&|acc| spec::field::pow(acc, exponent)),
        dot: format!("{:x}", spec::field::dot(&a, &b).get()),
        values: text(&values),
        points: text(points),
        at: format!("{:x}", at.get()),
        lagrange_weights: text(&spec::field::lagrange_weights(points, at)),
        refused: words(&[p - 1, 0, p, u64::MAX]),
        refused_index: 2,
        a: text(&a),
        b: text(&b),
    }
}

pub(super) fn ntt(log: u32) -> format::Ntt {
    let mut values = vec![Field64::default(); 1 << log];
    spec::field::uniform(&KEY, 23, 0, &mut values);
    let text = |elements: &[Field64]| words(field::words(elements));
    let after = |transform: fn(&mut [Field64])| {
        let mut values = values.clone();
        transform(&mut values);
        text(&values)
    };
    format::Ntt {
        root: words(&[spec::ntt::root(log).get()]).remove(0),
        forward: after(spec::ntt::forward),
        inverse: after(spec::ntt::inverse_of),
        values: text(&values),
    }
}

pub(super) fn uniform<F: Field>() -> format::Uniform {
    let mut elements = vec![F::ZERO; 19];
    spec::field::uniform(&KEY, 24, 0xffff_fffe, &mut elements);
    format::Uniform {
        name: F::NAME.to_owned(),
        at: At::new(KEY, 24, 0xffff_fffe),
        elements: words(field::words(&elements)),
    }
}

pub(super) fn shamir<F: Field>() -> format::Shamir {
    let (parties, threshold, len) = (9, 3, 9);
    let mut secret = vec![F::ZERO; len];
    spec::field::uniform(&KEY, 25, 0, &mut secret);
    secret[0] = F::ZERO;
    secret[1] = F::new(F::MODULUS - 1).expect("the largest element");
    let mut shares = vec![F::ZERO; len * parties as usize];
    spec::shamir::split(&secret, threshold, (&KEY, 26, 0xffff_fffd), &mut shares);
    let text = |elements: &[F]| words(field::words(elements));
    let decoded = [8, 2, 1, 9, 4, 5, 7, 3];
    let with = |lies: &[(usize, usize)]| {
        let mut given: Vec<Vec<F>> =
            decoded.iter().map(|party| shares[(party - 1) * len..party * len].to_vec()).collect();
        for (place, element) in lies {
            let by = F::new(1 << place).expect("a power below the modulus");
            spec::field::add(&mut given[*place][*element..=*element], &[by]);
        }
        given
    };
    let decoded = decoded.map(|party| party as u32);
    let wrong = with(&[(0, 2), (6, 2), (6, 8), (3, 8)]);
    let views: Vec<&[F]> = wrong.iter().map(Vec::as_slice).collect();
    let mut corrected = vec![F::ZERO; len];
    let liars = spec::shamir::correct(&decoded, threshold, &views, &mut corrected).expect("few enough");
    assert!(corrected == secret, "corrected");
    let hopeless = with(&[(0, 2), (6, 2), (7, 2)]);
    let views: Vec<&[F]> = hopeless.iter().map(Vec::as_slice).collect();
    assert!(spec::shamir::correct(&decoded, threshold, &views, &mut corrected).is_none(), "too many");
    format::Shamir {
        name: F::NAME.to_owned(),
        parties,
        threshold,
        secret: text(&secret),
        at: At::new(KEY, 26, 0xffff_fffd),
        shares: shares.chunks(len).map(text).collect(),
        given: vec![7, 1, 9, 4],
        decoded: decoded.to_vec(),
        wrong: wrong.iter().map(|share| text(share)).collect(),
        misfits: vec![2, 8],
        liars,
        hopeless: hopeless.iter().map(|share| text(share)).collect(),
        hopeless_element: 2,
        too_few: vec![5, 2, 7],
        nobody: vec![1, 2, 3, 10],
        twice: vec![4, 1, 2, 4],
    }
}

pub(super) fn matmul() -> Matmul {
    use veilgrid_kernels::Field as _;
    let (rows, inner, columns) = (3, 5, 3);
    let p = M61::MODULUS;
    let elements = |id, special: [u64; 4], len| {
        let words: Vec<u64> = spec::mask::words(&KEY, id, 0, len);
        let words = special.into_iter().chain(words).take(len);
        words.map(|word| M61::new(word % p).expect("a remainder")).collect::<Vec<M61>>()
    };
    let (a, b) = (elements(18, [p - 1, p - 1, 1 << 31, p / 2], 15), elements(19, [p - 1, 0, 1 << 30, 1], 15));
    let acc = elements(20, [p - 1, 0, 1, p - 2], 9);
    let mut sums = acc.clone();
    let shape = veilgrid_kernels::matmul::Shape { rows, inner, columns };
    spec::matmul::multiply_add_field(shape, &a, &b, &mut sums);
    let text = |elements: &[M61]| words(field::words(elements));
    Matmul { bits: 61, rows, inner, columns, a: text(&a), b: text(&b), acc: text(&acc), sums: text(&sums) }
}
