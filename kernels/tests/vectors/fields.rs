//! The frozen answers in the prime fields: arithmetic, transforms, uniform elements, matrices, Shamir's shares.

use super::format::{self, Matmul, unwords, word, words};
use super::kit::{stream, vectors};
use super::levels::devices;
use veilgrid_kernels::shamir::Scheme;
use veilgrid_kernels::{Device, Field, Field64, KernelError, M61, field, matmul};

/// Tests of every vector of a file, in the field that it names, on every device.
macro_rules! in_each_field {
    ($($test:ident: $format:ident in $file:literal by $check:ident;)+) => {$(
        #[test]
        fn $test() {
            for vector in vectors!(format::$format, $file) {
                for device in devices() {
                    match vector.name.as_str() {
                        "M61" => $check::<M61>(&device, &vector),
                        _ => $check::<Field64>(&device, &vector),
                    }
                }
            }
        }
    )+};
}
in_each_field! {
    fields: Field in "field.json" by field_of;
    uniform_elements: Uniform in "uniform.json" by uniform_of;
    shamir: Shamir in "shamir.json" by shamir_of;
}

fn elements<F: Field>(texts: &[String]) -> Vec<F> {
    field::elements::<F>(&unwords(texts)).unwrap().to_vec()
}

fn field_of<F: Field>(device: &Device, vector: &format::Field) {
    assert_eq!((vector.name.as_str(), word(&vector.modulus)), (F::NAME, F::MODULUS));
    let (a, b) = (elements::<F>(&vector.a), elements::<F>(&vector.b));
    let after = |operation: &dyn Fn(&mut [F]) -> Result<(), KernelError>| {
        let mut acc = a.clone();
        operation(&mut acc).unwrap();
        words(field::words(&acc))
    };
    assert_eq!(after(&|acc| field::add(device, acc, &b)), vector.add);
    assert_eq!(after(&|acc| field::sub(device, acc, &b)), vector.sub);
    assert_eq!(after(&|acc| field::mul(device, acc, &b)), vector.mul);
    assert_eq!(after(&|acc| field::neg(device, acc)), vector.neg_of_a);
    assert_eq!(after(&|acc| field::mul_add(device, acc, &a, &b)), vector.a_plus_a_times_b);
    assert_eq!(after(&|acc| field::inverse(device, acc)), vector.inverse_of_a);
    assert_eq!(after(&|acc| field::pow(device, acc, word(&vector.exponent))), vector.power_of_a);
    assert_eq!(field::dot(device, &a, &b).unwrap().get(), word(&vector.dot));
    let mut values = b.clone();
    field::evaluate(device, &a[..5], &mut values).unwrap();
    assert_eq!(words(field::words(&values)), vector.values);
    let weights =
        field::lagrange_weights(&elements(&vector.points), F::new(word(&vector.at)).unwrap()).unwrap();
    assert_eq!(words(field::words(&weights)), vector.lagrange_weights);
    let refused = KernelError::NotCanonical { field: F::NAME, index: vector.refused_index };
    assert_eq!(field::elements::<F>(&unwords(&vector.refused)), Err(refused));
}

#[test]
fn matrices_of_a_prime_field() {
    for vector in vectors!(Matmul, "matmul_m61.json") {
        for device in devices() {
            let shape = matmul::Shape { rows: vector.rows, inner: vector.inner, columns: vector.columns };
            let mut acc: Vec<M61> = elements(&vector.acc);
            matmul::multiply_add(&device, shape, &elements(&vector.a), &elements(&vector.b), &mut acc)
                .unwrap();
            assert!(acc == elements(&vector.sums), "{}", device.describe());
        }
    }
}

#[test]
fn transforms() {
    for vector in vectors!(format::Ntt, "ntt.json") {
        let ntt = field::Ntt::new(vector.values.len().ilog2()).unwrap();
        assert_eq!(ntt.root().get(), word(&vector.root));
        let start = elements(&vector.values);
        for device in devices() {
            let mut values = start.clone();
            ntt.forward(&device, &mut values).unwrap();
            assert_eq!(words(field::words(&values)), vector.forward);
            values.clone_from(&start);
            ntt.inverse(&device, &mut values).unwrap();
            assert_eq!(words(field::words(&values)), vector.inverse);
        }
    }
}

fn uniform_of<F: Field>(device: &Device, vector: &format::Uniform) {
    let mut out = vec![F::ZERO; vector.elements.len()];
    field::uniform(device, &mut stream(&vector.at), &mut out).unwrap();
    assert_eq!(words(field::words(&out)), vector.elements);
}

/// Shares of Prio3's test vectors add up to what they are said to, and its proofs hold where they are said to.
#[test]
fn vdaf() {
    for vector in vectors!(format::Vdaf, "vdaf.json") {
        for device in devices() {
            let mut sums = vec![Field64::ZERO; vector.sums.len()];
            for share in &vector.shares {
                field::add(&device, &mut sums, &elements(share)).unwrap();
            }
            assert_eq!(words(field::words(&sums)), vector.sums, "{}", vector.source);
            let last = *sums.last().unwrap();
            if !vector.polynomial.is_empty() {
                let mut point = [sums[1]];
                field::evaluate(&device, &elements(&vector.polynomial), &mut point).unwrap();
                assert_eq!(point[0].get(), last.get(), "{}", vector.source);
            }
            if let Some(holds) = vector.product {
                let mut product = [sums[1]];
                field::mul(&device, &mut product, &[sums[2]]).unwrap();
                assert_eq!(product[0] == last, holds, "{}", vector.source);
            }
        }
    }
}

fn shamir_of<F: Field>(device: &Device, vector: &format::Shamir) {
    let secret: Vec<F> = elements(&vector.secret);
    let (len, parties) = (secret.len(), vector.parties);
    let scheme = Scheme::<F>::new(parties, vector.threshold).unwrap();
    let mut shares = vec![F::ZERO; len * parties as usize];
    scheme.split(device, &secret, &mut stream(&vector.at), &mut shares).unwrap();
    let texts: Vec<Vec<String>> = shares.chunks(len).map(|share| words(field::words(share))).collect();
    assert_eq!(texts, vector.shares);

    let given: Vec<&[F]> = vector
        .given
        .iter()
        .map(|party| &shares[(*party as usize - 1) * len..*party as usize * len])
        .collect();
    let mut out = vec![F::ZERO; len];
    scheme.secret_from(&vector.given).unwrap().reconstruct(device, &given, &mut out).unwrap();
    assert!(out == secret);
    for (lost, share) in (1..).zip(&vector.shares) {
        scheme.share_from(lost, &vector.given).unwrap().reconstruct(device, &given, &mut out).unwrap();
        assert_eq!(&words(field::words(&out)), share);
    }

    let decoder = scheme.decoder(&vector.decoded).unwrap();
    let wrong: Vec<Vec<F>> = vector.wrong.iter().map(|share| elements(share)).collect();
    let wrong: Vec<&[F]> = wrong.iter().map(Vec::as_slice).collect();
    assert_eq!(decoder.misfits(device, &wrong).as_ref(), Ok(&vector.misfits));
    assert_eq!(decoder.correct(device, &wrong, &mut out).as_ref(), Ok(&vector.liars));
    assert!(out == secret);
    let hopeless: Vec<Vec<F>> = vector.hopeless.iter().map(|share| elements(share)).collect();
    let hopeless: Vec<&[F]> = hopeless.iter().map(Vec::as_slice).collect();
    let element = vector.hopeless_element;
    let refusal = KernelError::TooManyWrong { element, most: decoder.most() };
    assert_eq!(decoder.correct(device, &hopeless, &mut out), Err(refusal));

    let refused = |parties: &[u32]| scheme.secret_from(parties).unwrap_err();
    assert!(matches!(refused(&vector.too_few), KernelError::TooFewShares { .. }));
    assert!(matches!(refused(&vector.nobody), KernelError::PartyIndex { .. }));
    assert!(matches!(refused(&vector.twice), KernelError::SameParty { .. }));
}
