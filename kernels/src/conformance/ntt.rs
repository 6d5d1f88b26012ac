//! Checks of the number-theoretic transform.

use super::compare;
use super::field::elements;
use crate::field::{Ntt, evaluate};
use crate::{Device, Field, Field64, KernelError, Level, spec};

/// Both directions of every small size beside the sums that define them; larger sizes at some of their results and
/// back again; several transforms at once.
pub fn transforms(device: &Device) {
    for log in 0..=9 {
        let ntt = Ntt::new(log).expect("a size of the suite");
        assert_eq!((ntt.size(), ntt.root()), (1 << log, spec::ntt::root(log)));
        for count in [1, 3] {
            let len = count << log;
            let start = |len| elements::<Field64>(11, len);
            let each = |transform: fn(&mut [Field64])| {
                move |values: &mut [Field64]| values.chunks_exact_mut(1 << log).for_each(transform)
            };
            let forward = |values: &mut [Field64]| ntt.forward(device, values);
            compare("Ntt::forward", len, start, forward, each(spec::ntt::forward));
            let inverse = |values: &mut [Field64]| ntt.inverse(device, values);
            compare("Ntt::inverse", len, start, inverse, each(spec::ntt::inverse_of));
        }
    }
    for log in 10..=16 {
        transform(device, log);
    }
}

/// One transform of `2^log` elements: some of its results, and whether it is undone.
pub fn transform(device: &Device, log: u32) {
    let ntt = Ntt::new(log).expect("a size of the suite");
    let start = elements::<Field64>(12, ntt.size() + 1)[1..].to_vec();
    let mut values = start.clone();
    ntt.forward(device, &mut values).expect("a transform");
    let places = [0, 1, 2, ntt.size() / 2 - 1, ntt.size() / 2, ntt.size() / 5, ntt.size() - 1];
    let mut points = places.map(|k| {
        let mut point = [ntt.root()];
        spec::field::pow(&mut point, k as u64);
        point[0]
    });
    let scalar = Device::cpu_at(Level::Scalar).expect("plain code");
    evaluate(&scalar, &start, &mut points).expect("values");
    let got = places.map(|k| values[k]);
    assert_eq!(got.map(Field::get), points.map(Field::get), "Ntt::forward of 2^{log}");
    ntt.inverse(device, &mut values).expect("a transform");
    assert!(values == start, "Ntt::inverse of 2^{log}");

    // The transform of ones is a single value, and the largest element stays one.
    let mut ones = vec![Field64::new(Field64::MODULUS - 1).expect("the largest element"); ntt.size()];
    ntt.inverse(device, &mut ones).expect("a transform");
    assert!(ones[0].get() == Field64::MODULUS - 1 && ones[1..].iter().all(|x| *x == Field64::ZERO));
}

/// Sizes that there are not, and slices that hold no whole number of transforms.
pub fn transforms_refused(device: &Device) {
    assert!(matches!(Ntt::new(33), Err(KernelError::NoRoot { log: 33 })));
    assert_eq!(Ntt::new(32).map(|ntt| ntt.size() as u64), Ok(1 << 32));
    let ntt = Ntt::new(4).expect("a size of the suite");
    for (given, needed) in [(15, 16), (17, 32), (1, 16)] {
        let mut values = vec![Field64::ONE; given];
        let refused = |operation| Err(KernelError::Size { operation, slice: "values", given, needed });
        assert_eq!(ntt.forward(device, &mut values), refused("Ntt::forward"));
        assert_eq!(ntt.inverse(device, &mut values), refused("Ntt::inverse"));
        assert!(values.iter().all(|x| *x == Field64::ONE));
    }
    assert_eq!(ntt.forward(device, &mut []), Ok(()));
}
