//! The bounds that truncation of shares promises, on arbitrary secrets and shares.

use proptest::collection::vec;
use proptest::prelude::*;
use veilgrid_kernels::fixed::{self, Role};
use veilgrid_kernels::{Device, ring};

fn sum(device: &Device, mut a: Vec<u64>, b: &[u64]) -> Vec<i64> {
    ring::add(device, &mut a, b).unwrap();
    a.into_iter().map(|word| word as i64).collect()
}

proptest! {
    /// Secrets of up to 24 bits: a share so near to the ends of the ring that the rare error comes is drawn with
    /// probability 2^-40 only.
    #[test]
    fn two_parties_truncate_alone(
        secrets in vec((-(1i64 << 24)..1 << 24, any::<u64>()), 0..200), bits in 0u32..=62,
    ) {
        let device = Device::cpu().unwrap();
        let (x, mut first): (Vec<i64>, Vec<u64>) = secrets.into_iter().unzip();
        let mut other: Vec<u64> = x.iter().zip(&first).map(|(x, share)| (*x as u64).wrapping_sub(*share)).collect();
        fixed::truncate(&device, &mut first, bits, Role::First).unwrap();
        fixed::truncate(&device, &mut other, bits, Role::Other).unwrap();
        for (got, x) in sum(&device, first, &other).into_iter().zip(x) {
            let down = x >> bits;
            let exact = down << bits == x;
            prop_assert!(got == down || !exact && got == down + 1, "{x} >> {bits} became {got}");
        }
    }

    /// Secrets of 40 bits with a sign, masks of 62 bits; exact once the comparison is taken off.
    #[test]
    fn a_masked_opening_truncates(
        secrets in vec((-(1i64 << 40)..1 << 40, 0..1u64 << 62, any::<u64>()), 0..200), bits in 0u32..=40,
    ) {
        let device = Device::cpu().unwrap();
        let opened: Vec<u64> = secrets.iter().map(|(x, r, _)| (x + (1 << 40)) as u64 + r).collect();
        // Shares of r >> bits.
        let first: Vec<u64> = secrets.iter().map(|(_, _, share)| *share).collect();
        let other: Vec<u64> = secrets.iter().map(|(_, r, share)| (r >> bits).wrapping_sub(*share)).collect();
        let (mut mine, mut theirs) = (opened.clone(), opened.clone());
        fixed::truncate_opened(&device, &mut mine, &first, bits, Role::First).unwrap();
        fixed::truncate_opened(&device, &mut theirs, &other, bits, Role::Other).unwrap();
        let low = (1u64 << bits) - 1;
        for (i, got) in sum(&device, mine, &theirs).into_iter().enumerate() {
            let (x, r, _) = secrets[i];
            let carry = i64::from(opened[i] & low < r & low);
            prop_assert_eq!(got - (1 << (40 - bits)) - carry, x >> bits);
        }
    }
}
