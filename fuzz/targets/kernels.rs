//! Any elements, lengths and places in a stream: a kernel gives what the specification gives, on every level of this CPU.
#![no_main]

use std::fmt::Debug;
use std::sync::LazyLock;
use veilgrid_kernels::fixed::Role;
use veilgrid_kernels::matmul::Shape;
use veilgrid_kernels::{
    Device, Field, Field64, Fixed, Gaussian, KernelError, Laplace, Level, M61, Seed, Stream, bits, chacha,
    field, fixed, mask, matmul, noise, ring, spec,
};

static DEVICES: LazyLock<Vec<Device>> =
    LazyLock::new(|| Level::ALL.into_iter().filter_map(|level| Device::cpu_at(level).ok()).collect());

/// What the fuzzer gave; zeros where it has ended.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn word(&mut self) -> u64 {
        let (now, later) = self.0.split_at(self.0.len().min(8));
        self.0 = later;
        now.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    fn byte(&mut self) -> usize {
        let (now, later) = self.0.split_at(self.0.len().min(1));
        self.0 = later;
        usize::from(now.first().copied().unwrap_or_default())
    }

    fn words(&mut self, len: usize) -> Vec<u64> {
        (0..len).map(|_| self.word()).collect()
    }

    fn elements<F: Field>(&mut self, len: usize) -> Vec<F> {
        let words: Vec<u64> = self.words(len).iter().map(|word| word % F::MODULUS).collect();
        field::elements(&words).expect("all are below the modulus").to_vec()
    }
}

/// Every level makes of `start` what the specification makes of it.
fn same<T: Clone + PartialEq + Debug>(
    start: &[T],
    ours: impl Fn(&Device, &mut [T]) -> Result<(), KernelError>,
    law: impl Fn(&mut [T]),
) {
    let mut expected = start.to_vec();
    law(&mut expected);
    for device in DEVICES.iter() {
        let mut found = start.to_vec();
        ours(device, &mut found).expect("the batch is one");
        assert!(found == expected, "{}: {found:?} is not {expected:?}", device.describe());
    }
}

fn in_field<F: Field>(input: &mut Input<'_>, which: usize) {
    let len = input.byte();
    let (acc, a, b) = (input.elements::<F>(len), input.elements::<F>(len), input.elements::<F>(len));
    match which % 5 {
        0 => same(&acc, |d, x| field::add(d, x, &a), |x| spec::field::add(x, &a)),
        1 => same(&acc, |d, x| field::sub(d, x, &a), |x| spec::field::sub(x, &a)),
        2 => same(&acc, |d, x| field::mul(d, x, &a), |x| spec::field::mul(x, &a)),
        3 => same(&acc, |d, x| field::mul_add(d, x, &a, &b), |x| spec::field::mul_add(x, &a, &b)),
        _ => {
            let exponent = input.word();
            same(&acc, |d, x| field::pow(d, x, exponent), |x| spec::field::pow(x, exponent));
        }
    }
}

fn in_matrices(input: &mut Input<'_>) {
    let shape = Shape { rows: input.byte() % 24, inner: input.byte() % 24, columns: input.byte() % 24 };
    let (a, b) = (input.words(shape.rows * shape.inner), input.words(shape.inner * shape.columns));
    let acc = input.words(shape.rows * shape.columns);
    same(
        &acc,
        |d, x| matmul::multiply_add(d, shape, &a, &b, x),
        |x| spec::matmul::multiply_add(shape, &a, &b, x),
    );
}

/// A key, a stream of it and a place in that, not so near its end that a batch would pass it.
struct Place {
    key: [u8; 32],
    id: u64,
    first: u64,
}

impl Place {
    fn of(input: &mut Input<'_>) -> Place {
        let mut key = [0; 32];
        key.iter_mut().for_each(|byte| *byte = input.byte() as u8);
        Place { key, id: input.word(), first: input.word() >> 1 }
    }

    fn stream(&self) -> Stream {
        let mut stream = Seed::from_bytes(self.key).stream(self.id);
        stream.skip(self.first).expect("within the stream");
        stream
    }
}

fn from_stream(input: &mut Input<'_>, which: usize) {
    let place = Place::of(input);
    let (key, id, first) = (&place.key, place.id, place.first);
    let len = input.byte() * 2;
    match which % 5 {
        0 => same(
            &vec![0u8; 5 * len],
            |d, x| chacha::keystream(d, &mut place.stream(), x),
            |x| spec::chacha::keystream(key, id, first, x),
        ),
        1 => same(
            &input.words(len),
            |d, x| mask::add(d, x, &mut place.stream()),
            |x| spec::mask::add(x, key, id, first),
        ),
        2 => same(
            &input.words(len),
            |d, x| mask::sub(d, x, &mut place.stream()),
            |x| spec::mask::sub(x, key, id, first),
        ),
        3 => {
            let law = Laplace::new(1 + input.word() % (1 << 20), 1 + input.byte() as u64);
            let Ok(law) = law else { return };
            same(
                &vec![0; len],
                |d, x| noise::fill(d, &law, &mut place.stream(), x),
                |x| spec::noise::fill(&law, key, id, first, x),
            );
        }
        _ => {
            let law = Gaussian::new(1 + input.word() % (1 << 12), 1).expect("a scale");
            same(
                &vec![0; len / 8],
                |d, x| noise::fill(d, &law, &mut place.stream(), x),
                |x| spec::noise::fill(&law, key, id, first, x),
            );
        }
    }
}

fn in_fixed_point(input: &mut Input<'_>) {
    let (len, fraction, role) = (input.byte(), input.byte() as u32 % 63, input.byte());
    let role = if role % 2 == 0 { Role::First } else { Role::Other };
    let words = input.words(len);
    let bits = 1 + fraction % 62;
    same(&words, |d, x| fixed::truncate(d, x, bits, role), |x| spec::fixed::truncate(x, bits, role));
    let values: Vec<f64> = words.iter().map(|word| f64::from_bits(*word)).collect();
    let Ok(format) = Fixed::new(fraction, -(1 << 40), 1 << 40) else { return };
    for device in DEVICES.iter() {
        assert_eq!(fixed::out_of_range(device, &values, format), spec::fixed::out_of_range(&values, format));
    }
    same(
        &vec![0; len],
        |d, x| fixed::encode(d, &values, format, x),
        |x| spec::fixed::encode(&values, format, x),
    );
}

fn in_ring(input: &mut Input<'_>, which: usize) {
    let len = 3 * input.byte();
    let (acc, other) = (input.words(len), input.words(len));
    match which % 6 {
        0 => same(&acc, |d, x| ring::add(d, x, &other), |x| spec::ring::add(x, &other)),
        1 => same(&acc, |d, x| ring::sub(d, x, &other), |x| spec::ring::sub(x, &other)),
        2 => same(&acc, |d, x| ring::mul(d, x, &other), |x| spec::ring::mul(x, &other)),
        3 => same(&acc, |d, x| bits::xor(d, x, &other), |x| spec::bits::xor(x, &other)),
        4 => {
            let planes = 64 * bits::plane_words(len);
            same(&vec![0; planes], |d, x| bits::to_planes(d, &acc, x), |x| spec::bits::to_planes(&acc, x));
        }
        _ => {
            let by = input.byte();
            same(
                &vec![0; len],
                |d, x| bits::shift_left(d, &acc, by, x),
                |x| spec::bits::shift_left(&acc, by, x),
            );
        }
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (family, which) = (input.byte(), input.byte());
    match family % 6 {
        0 => in_ring(&mut input, which),
        1 => in_field::<M61>(&mut input, which),
        2 => in_field::<Field64>(&mut input, which),
        3 => in_matrices(&mut input),
        4 => from_stream(&mut input, which),
        _ => in_fixed_point(&mut input),
    }
});
