//! The laws of a field, and equality with the definitions, on arbitrary elements at every level.

mod levels;

use levels::devices;
use proptest::collection::vec;
use proptest::prelude::*;
use veilgrid_kernels::{Device, Field, Field64, M61, field, spec};

/// Any element, those near the ends and near powers of two often.
fn element<F: Field>() -> impl Strategy<Value = F> {
    let near = |x: u64, by: u64| x.wrapping_add(by).wrapping_sub(4) % F::MODULUS;
    let word = prop_oneof![
        any::<u64>().prop_map(|x| x % F::MODULUS),
        (0u32..64, 0u64..9).prop_map(move |(bit, by)| near(1 << bit, by)),
        (0u64..9).prop_map(move |by| near(F::MODULUS, by)),
    ];
    word.prop_map(|word| F::new(word).unwrap())
}

fn batch<F: Field>(device: &Device, operation: Batch<F>, a: &[F], b: &[F]) -> Vec<F> {
    let mut acc = a.to_vec();
    operation(device, &mut acc, b).unwrap();
    acc
}

type Batch<F> = fn(&Device, &mut [F], &[F]) -> Result<(), veilgrid_kernels::KernelError>;

fn laws<F: Field>(triples: &[(F, F, F)]) -> Result<(), TestCaseError> {
    let a: Vec<F> = triples.iter().map(|triple| triple.0).collect();
    let b: Vec<F> = triples.iter().map(|triple| triple.1).collect();
    let c: Vec<F> = triples.iter().map(|triple| triple.2).collect();
    for device in devices() {
        let apply = |operation, a: &[F], b: &[F]| batch(&device, operation, a, b);
        let sum = apply(field::add, &a, &b);
        prop_assert!(sum == apply(field::add, &b, &a));
        prop_assert!(apply(field::sub, &sum, &b) == a);
        let (ac, bc) = (apply(field::mul, &a, &c), apply(field::mul, &b, &c));
        prop_assert!(apply(field::mul, &sum, &c) == apply(field::add, &ac, &bc));
        let mut fused = ac.clone();
        field::mul_add(&device, &mut fused, &b, &c).unwrap();
        prop_assert!(fused == apply(field::add, &ac, &bc));
        let mut negative = a.clone();
        field::neg(&device, &mut negative).unwrap();
        prop_assert!(apply(field::add, &negative, &a).iter().all(|x| *x == F::ZERO));
        let mut product = a.clone();
        spec::field::mul(&mut product, &b);
        prop_assert!(apply(field::mul, &a, &b) == product);
    }
    Ok(())
}

proptest! {
    #[test]
    fn m61_is_a_field(triples in vec((element(), element(), element()), 0..60)) {
        laws::<M61>(&triples)?;
    }

    #[test]
    fn field64_is_a_field(triples in vec((element(), element(), element()), 0..60)) {
        laws::<Field64>(&triples)?;
    }
}
