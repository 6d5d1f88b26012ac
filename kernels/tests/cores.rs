//! The bits do not depend on the number of threads: every family's long batches, cut for 1, 2, 3 and 7.

mod levels;

use levels::devices;
use proptest::prelude::*;
use veilgrid_kernels::conformance::{Source, chain};
use veilgrid_kernels::field::Ntt;
use veilgrid_kernels::replicated::{self, Pair};
use veilgrid_kernels::shamir::Scheme;
use veilgrid_kernels::{
    Binomial, Device, Field, Field64, Fixed, Gaussian, KernelError, Laplace, M61, Seed, Stream, bits, chacha,
    field, fixed, mask, matmul, noise, ring, share,
};

const THREADS: [usize; 3] = [2, 3, 7];

fn stream(id: u64) -> Stream {
    let mut stream = Seed::from_bytes([5; 32]).stream(id);
    stream.skip((1 << 32) - 50).unwrap();
    stream
}

fn words(id: u64, len: usize) -> Vec<u64> {
    let mut words = vec![0; len];
    let device = Device::cpu().unwrap().with_threads(1);
    share::expand(&device, &mut words, &mut Seed::from_bytes([6; 32]).stream(id)).unwrap();
    words
}

fn elements<F: Field>(id: u64, len: usize) -> Vec<F> {
    words(id, len).into_iter().map(|word| F::new(word % F::MODULUS).unwrap()).collect()
}

/// Every batch of `len` elements on `device`, its results as words.
fn everything(device: &Device, len: usize) -> Result<Vec<Vec<u64>>, KernelError> {
    let (a, b) = (words(1, len), words(2, len));
    let mut all = Vec::new();
    let mut with = |work: &mut dyn FnMut(&mut [u64]) -> Result<(), KernelError>| {
        let mut x = a.clone();
        work(&mut x)?;
        all.push(x);
        Ok::<_, KernelError>(())
    };
    with(&mut |x| ring::add(device, x, &b))?;
    with(&mut |x| ring::mul(device, x, &b))?;
    with(&mut |x| chacha::keystream(device, &mut stream(1), bytemuck_bytes(x)))?;
    with(&mut |x| mask::add(device, x, &mut stream(2)))?;
    with(&mut |x| share::split(device, x, &mut [stream(3), stream(4)]))?;
    with(&mut |x| share::reconstruct(device, x, &[&b, &b]))?;
    with(&mut |x| bits::xor(device, x, &b))?;
    with(&mut |x| bits::not(device, x))?;
    with(&mut |x| bits::shift_left(device, &b, 77, x))?;
    with(&mut |x| fixed::truncate(device, x, 13, fixed::Role::Other))?;
    let law = Laplace::new(10, 1)?;
    with(&mut |x| noise::laplace_add(device, &law, &mut stream(5), x))?;
    with(&mut |x| noise::fill(device, &Gaussian::new(10, 1)?, &mut stream(8), signed(x)))?;
    with(&mut |x| noise::add(device, &Binomial::new(100)?, &mut stream(9), x))?;
    let pair = Pair { own: &a, next: &b };
    with(&mut |x| replicated::multiply(device, pair, pair, &mut stream(6), &mut stream(7), x))?;
    with(&mut |x| {
        x[0] = ring::sum(device, &b)?;
        x[1] = bits::ones(device, &b)?;
        Ok(())
    })?;
    let format = Fixed::new(10, -(1 << 40), 1 << 40)?;
    with(&mut |x| {
        let mut reals: Vec<f64> = b.iter().map(|word| (*word as i64 >> 24) as f64 / 4096.0).collect();
        let mut units = vec![0; len];
        fixed::encode(device, &reals, format, &mut units)?;
        fixed::decode(device, &units, 10, &mut reals)?;
        x.iter_mut().zip(&reals).for_each(|(x, real)| *x = real.to_bits());
        reals[len - 2] = f64::NAN;
        x[0] = fixed::out_of_range(device, &reals, format).unwrap() as u64;
        Ok(())
    })?;
    fields::<M61>(device, len, &mut all)?;
    fields::<Field64>(device, len, &mut all)?;
    let shape = matmul::Shape { rows: 150, inner: 60, columns: len / 150 };
    let mut product = words(3, shape.rows * shape.columns);
    matmul::multiply_add(device, shape, &words(4, 150 * 60), &words(5, 60 * shape.columns), &mut product)?;
    all.push(product);
    let shape = matmul::Shape { rows: 5, inner: 7, columns: 6 };
    let count = len / 30;
    let mut products = words(3, count * 30);
    matmul::multiply_add_batch(
        device,
        shape,
        count,
        &words(4, count * 35),
        &words(5, count * 42),
        &mut products,
    )?;
    all.push(products);
    let mut turned = vec![0; len / 999 * 999];
    matmul::transpose(device, 999, len / 999, &a[..turned.len()], &mut turned)?;
    all.push(turned);
    let mut planes = vec![0; 64 * bits::plane_words(len)];
    bits::to_planes(device, &b, &mut planes)?;
    all.push(planes.clone());
    planes.rotate_left(len / 70);
    let mut integers = vec![0; len];
    bits::from_planes(device, &planes, &mut integers)?;
    all.push(integers);
    for log in [4, 9, 15] {
        let (ntt, mut values) = (Ntt::new(log)?, elements::<Field64>(6, len >> log << log));
        ntt.forward(device, &mut values)?;
        all.push(field::words(&values).to_vec());
        ntt.inverse(device, &mut values)?;
        all.push(field::words(&values).to_vec());
    }
    Ok(all)
}

fn fields<F: Field>(device: &Device, len: usize, all: &mut Vec<Vec<u64>>) -> Result<(), KernelError> {
    let (mut x, y) = (elements::<F>(1, len), elements::<F>(2, len));
    field::mul(device, &mut x, &y)?;
    field::neg(device, &mut x)?;
    field::mul_add(device, &mut x, &y, &y)?;
    field::inverse(device, &mut x)?;
    field::pow(device, &mut x, 5)?;
    field::evaluate(device, &y[..3], &mut x)?;
    let dot = field::dot(device, &x, &y)?;
    all.push(field::words(&x).to_vec());
    all.push(vec![dot.get()]);
    let scheme = Scheme::<F>::new(5, 2)?;
    let mut shares = vec![F::default(); 5 * len];
    scheme.split(device, &y, &mut stream(10), &mut shares)?;
    all.push(field::words(&shares).to_vec());
    let given: Vec<&[F]> = [1, 4, 2].iter().map(|party| &shares[party * len..][..len]).collect();
    scheme.secret_from(&[2, 5, 3])?.reconstruct(device, &given, &mut x)?;
    assert!(x == y);
    Ok(())
}

fn signed(words: &mut [u64]) -> &mut [i64] {
    bytemuck::cast_slice_mut(words)
}

fn bytemuck_bytes(words: &mut [u64]) -> &mut [u8] {
    bytemuck::cast_slice_mut(words)
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for device in devices() {
        // Long enough that each batch is cut, with a rest.
        for len in [1_000_003, 200_001] {
            let want = everything(&device.clone().with_threads(1), len).unwrap();
            for threads in THREADS {
                let device = device.clone().with_threads(threads);
                assert_eq!(device.threads(), threads);
                let got = everything(&device, len).unwrap();
                for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                    let level = device.describe();
                    assert!(got == want, "{level}, {threads} threads, {len} elements, batch {i}");
                }
            }
        }
    }
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![(0usize..6).prop_map(Source::Buffer), any::<u64>().prop_map(Source::Constant)]
}

/// Steps of which up to four take a stream.
fn steps() -> impl Strategy<Value = Vec<(u8, Source, Source)>> {
    let step = (0u8..7, source(), source());
    (proptest::collection::vec(step, 0..8), proptest::collection::vec(any::<prop::sample::Index>(), 0..4))
        .prop_map(|(mut steps, streams)| {
            for index in streams {
                if !steps.is_empty() {
                    let at = index.index(steps.len());
                    steps[at].1 = Source::Stream;
                }
            }
            steps
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_plan_is_its_steps_one_by_one(steps in steps(), len in prop_oneof![0usize..3000, 150_000usize..160_000]) {
        for device in devices() {
            for threads in [1, 3] {
                let device = device.clone().with_threads(threads);
                chain::<u64>(&device, len, &steps);
                chain::<u32>(&device, len, &steps);
            }
        }
    }
}

/// Keys, streams and what may hold secrets cannot be printed: a type has `SHOWN` of its own only with `Debug`.
#[test]
fn keys_streams_and_buffers_have_no_debug() {
    #[allow(dead_code, reason = "only its constants are looked at")]
    struct Of<T>(std::marker::PhantomData<T>);
    trait Hidden {
        const SHOWN: bool = false;
    }
    impl<T> Hidden for Of<T> {}
    impl<T: std::fmt::Debug> Of<T> {
        const SHOWN: bool = true;
    }
    const { assert!(Of::<u64>::SHOWN) };
    const { assert!(!Of::<Seed>::SHOWN && !Of::<Stream>::SHOWN) };
    const { assert!(!Of::<veilgrid_kernels::Buffer<u64>>::SHOWN) };
    const { assert!(!Of::<veilgrid_kernels::Plan<'static, u64>>::SHOWN) };
}
