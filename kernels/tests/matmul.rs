//! The laws of matrices on arbitrary elements, and equality with the definitions, at every level.

mod levels;

use levels::devices;
use proptest::collection::vec;
use proptest::prelude::*;
use veilgrid_kernels::matmul::{self, Element, Shape};
use veilgrid_kernels::{Device, Field, M61, field, spec};

fn product<T: Element>(
    device: &Device,
    [rows, inner, columns]: [usize; 3],
    a: &[T],
    b: &[T],
    zero: T,
) -> Vec<T> {
    let mut product = vec![zero; rows * columns];
    matmul::multiply_add(device, Shape { rows, inner, columns }, a, b, &mut product).unwrap();
    product
}

/// `(a b) c` is `a (b c)`.
fn associative<T: Element + PartialEq>(
    device: &Device,
    [m, k, l, n]: [usize; 4],
    words: &[T],
    zero: T,
) -> Result<(), TestCaseError> {
    let (a, rest) = words.split_at(m * k);
    let (b, c) = rest.split_at(k * l);
    let left = product(device, [m, l, n], &product(device, [m, k, l], a, b, zero), c, zero);
    let right = product(device, [m, k, n], a, &product(device, [k, l, n], b, c, zero), zero);
    prop_assert!(left == right, "{}", device.describe());
    Ok(())
}

fn matrices() -> impl Strategy<Value = ([usize; 4], Vec<u64>)> {
    (1usize..40, 1usize..90, 1usize..40, 1usize..40).prop_flat_map(|(m, k, l, n)| {
        vec(prop_oneof![any::<u64>(), Just(u64::MAX)], m * k + k * l + l * n)
            .prop_map(move |words| ([m, k, l, n], words))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn products_are_associative((sizes, words) in matrices()) {
        let narrow: Vec<u32> = words.iter().map(|word| *word as u32).collect();
        let reduced: Vec<u64> = words.iter().map(|word| word % M61::MODULUS).collect();
        let prime = field::elements::<M61>(&reduced).unwrap();
        for device in devices() {
            associative(&device, sizes, &words, 0)?;
            associative(&device, sizes, &narrow, 0)?;
            associative(&device, sizes, prime, M61::ZERO)?;
        }
    }

    #[test]
    fn products_are_as_defined(([m, k, _, n], words) in matrices()) {
        let shape = Shape { rows: m, inner: k, columns: n };
        let words: Vec<u64> = words.into_iter().cycle().take(m * k + k * n + m * n).collect();
        let (a, rest) = words.split_at(m * k);
        let (b, acc) = rest.split_at(k * n);
        let mut want = acc.to_vec();
        spec::matmul::multiply_add(shape, a, b, &mut want);
        for device in devices() {
            let mut got = acc.to_vec();
            matmul::multiply_add(&device, shape, a, b, &mut got).unwrap();
            prop_assert_eq!(&got, &want);
        }
    }
}

/// Large enough to be multiplied by quarters, at one level or two, with and without rests. Times a column, which a wrong element of
/// the product changes.
#[test]
fn large_products_are_associative() {
    let words: Vec<u64> = spec::mask::words(&[9; 32], 1, 0, 3 << 20);
    let narrow: Vec<u32> = words.iter().map(|word| *word as u32).collect();
    let reduced: Vec<u64> = words.iter().map(|word| word % M61::MODULUS).collect();
    let prime = field::elements::<M61>(&reduced).unwrap();
    for device in devices() {
        for sizes in [[513, 515, 517, 1], [1024, 1025, 1026, 1]] {
            let [m, k, l, n] = sizes;
            let len = m * k + k * l + l * n;
            associative(&device, sizes, &words[..len], 0).unwrap();
            associative(&device, sizes, &narrow[..len], 0).unwrap();
            associative(&device, sizes, &prime[..len], M61::ZERO).unwrap();
        }
    }
}
