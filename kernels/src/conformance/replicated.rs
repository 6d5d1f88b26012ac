//! Replicated shares: products of three parties, opened by any two.

use super::{ID, KEY, compare, elements, lengths, positions, stream};
use crate::replicated::{self, Pair};
use crate::{Device, KernelError, spec};

/// Parts of a vector.
fn split(secret: &[u64], id: u64) -> [Vec<u64>; 3] {
    let masks = [(&KEY, id, 0), (&KEY, id + 1, 0)];
    let mut correction = secret.to_vec();
    spec::share::split(&mut correction, &masks);
    let [first, second] = masks.map(|mask| {
        let mut part = vec![0; secret.len()];
        spec::share::expand(&mut part, mask);
        part
    });
    [first, second, correction]
}

fn pair(parts: &[Vec<u64>; 3], party: usize) -> Pair<'_> {
    Pair { own: &parts[party], next: &parts[(party + 1) % 3] }
}

/// Products of three parties, opened by any two of them.
pub fn replicated(device: &Device) {
    for len in lengths() {
        let (x, y) = (elements::<u64>(4, len), elements::<u64>(5, len));
        let (xs, ys) = (split(&x, 100), split(&y, 200));
        let block = positions()[len % 4];
        // The key of party i and party i - 1.
        let key = |i: usize| ID ^ (i % 3) as u64;
        for i in 0..3 {
            let (x, y) = (pair(&xs, i), pair(&ys, i));
            let masks = [(&KEY, key(i), block), (&KEY, key(i + 1), block)];
            compare(
                "replicated::multiply",
                len,
                |len| vec![0xa5a5; len],
                |out| {
                    let (mut own, mut next) = (stream(key(i), block), stream(key(i + 1), block));
                    replicated::multiply(device, x, y, &mut own, &mut next, out)?;
                    assert_eq!(own.position(), u128::from(block) + len.div_ceil(8) as u128);
                    assert_eq!(own.position(), next.position());
                    Ok(())
                },
                |out| spec::replicated::multiply((x.own, x.next), (y.own, y.next), masks, out),
            );
        }
        let product = [0, 1, 2].map(|i| {
            let (x, y) = (pair(&xs, i), pair(&ys, i));
            let masks = [(&KEY, key(i), block), (&KEY, key(i + 1), block)];
            let mut part = vec![0; len];
            spec::replicated::multiply((x.own, x.next), (y.own, y.next), masks, &mut part);
            part
        });
        let mut want = x;
        spec::ring::mul(&mut want, &y);
        for i in 0..3 {
            compare(
                "replicated::reconstruct",
                len,
                |len| vec![0xa5a5; len],
                |out| replicated::reconstruct(device, pair(&product, i), pair(&product, (i + 1) % 3), out),
                |out| out.copy_from_slice(&want),
            );
        }
    }
    refusals(device);
}

fn refusals(device: &Device) {
    let mut out = [7u64; 40];
    let whole = Pair { own: &[1; 40], next: &[2; 40] };
    let short = Pair { own: &[1; 40], next: &[2; 39] };
    let mut at_end = stream(ID, u64::MAX - 3);
    let mut fresh = stream(ID, 0);
    for (x, y) in [(short, whole), (whole, short)] {
        let refusal = replicated::multiply(device, x, y, &mut fresh, &mut stream(1, 0), &mut out);
        assert!(matches!(refusal, Err(KernelError::Size { given: 39, needed: 40, .. })));
    }
    let refusal = replicated::multiply(device, whole, whole, &mut fresh, &mut at_end, &mut out);
    assert!(matches!(refusal, Err(KernelError::StreamExhausted { needed: 5, left: 4 })));
    assert!(out == [7; 40] && fresh.position() == 0 && at_end.position() == u128::from(u64::MAX - 3));
    let mut lie = [2; 40];
    lie[33] = 3;
    let second = Pair { own: &lie, next: &[3; 40] };
    let refusal = replicated::reconstruct(device, whole, second, &mut out);
    assert_eq!(refusal, Err(KernelError::Disagree { operation: "replicated::reconstruct", index: 33 }));
    assert!(replicated::reconstruct(device, whole, short, &mut out).is_err() && out == [7; 40]);
}
