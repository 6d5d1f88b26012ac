//! The number-theoretic transform on arbitrary polynomials and of large sizes, at every level.

mod levels;

use levels::devices;
use proptest::collection::vec;
use proptest::prelude::*;
use veilgrid_kernels::field::{self, Field, Field64, Ntt};
use veilgrid_kernels::{Device, conformance, spec};

fn elements(words: &[u64]) -> Vec<Field64> {
    words.iter().map(|word| Field64::new(word % Field64::MODULUS).unwrap()).collect()
}

/// The product of two polynomials, coefficient by coefficient.
fn product(a: &[Field64], b: &[Field64], len: usize) -> Vec<Field64> {
    let mut product = vec![Field64::ZERO; len];
    for (i, a) in a.iter().enumerate() {
        spec::field::mul_add(&mut product[i..i + b.len()], &vec![*a; b.len()], b);
    }
    product
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn products_of_values_are_values_of_the_product(
        a in vec(any::<u64>(), 1..200),
        b in vec(any::<u64>(), 1..200),
        more in 0u32..3,
    ) {
        let (a, b) = (elements(&a), elements(&b));
        let log = (a.len() + b.len() - 1).next_power_of_two().ilog2() + more;
        let ntt = Ntt::new(log).unwrap();
        let want = product(&a, &b, ntt.size());
        for device in devices() {
            let values = |polynomial: &[Field64]| {
                let mut values = polynomial.to_vec();
                values.resize(ntt.size(), Field64::ZERO);
                ntt.forward(&device, &mut values).unwrap();
                values
            };
            let mut got = values(&a);
            field::mul(&device, &mut got, &values(&b)).unwrap();
            ntt.inverse(&device, &mut got).unwrap();
            prop_assert!(got == want);
        }
    }
}

#[test]
fn a_million_elements() {
    for device in devices() {
        conformance::transform(&device, 20);
    }
}

/// The room that a plan keeps is one call's at a time.
#[test]
fn threads_share_a_plan() {
    let (device, ntt) = (Device::cpu().unwrap(), Ntt::new(15).unwrap());
    let start =
        elements(&(0..ntt.size() as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect::<Vec<_>>());
    let mut want = start.clone();
    ntt.forward(&device, &mut want).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let mut values = start.clone();
                    ntt.forward(&device, &mut values).unwrap();
                    assert!(values == want);
                }
            });
        }
    });
}
