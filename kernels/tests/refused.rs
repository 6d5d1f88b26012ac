//! Every level refuses what the frozen negative cases name, in the same words, and leaves data and streams as they were.

#[path = "vectors/format.rs"]
#[allow(dead_code, unreachable_pub, reason = "the example that writes the vectors uses the rest")]
mod format;
mod levels;

use format::{Refused, unwords};
use levels::devices;
use serde_json::{Map, Value, json};
use veilgrid_kernels::bits::{Adder, Carry};
use veilgrid_kernels::fixed::Role;
use veilgrid_kernels::replicated::Pair;
use veilgrid_kernels::shamir::Scheme;
use veilgrid_kernels::{
    Bernoulli, Binomial, Device, Field, Field64, Fixed, Gaussian, KernelError, Laplace, M61, Seed, Skellam,
    Stream, bits, chacha, field, fixed, mask, matmul, noise, replicated, ring, share,
};

/// The refusal as the vectors have it.
fn told(error: KernelError) -> Value {
    match error {
        KernelError::Length { left, right, .. } => json!({"kind": "Length", "left": left, "right": right}),
        KernelError::Size { slice, given, needed, .. } => {
            json!({"kind": "Size", "slice": slice, "given": given, "needed": needed})
        }
        KernelError::NotCanonical { index, .. } => json!({"kind": "NotCanonical", "index": index}),
        KernelError::SamePoint { first, second } => {
            json!({"kind": "SamePoint", "first": first, "second": second})
        }
        KernelError::StreamExhausted { needed, left } => {
            json!({"kind": "StreamExhausted", "needed": needed, "left": left})
        }
        KernelError::Disagree { index, .. } => json!({"kind": "Disagree", "index": index}),
        KernelError::FractionBits { given, most } => {
            json!({"kind": "FractionBits", "given": given, "most": most})
        }
        KernelError::Bounds { min, max } => json!({"kind": "Bounds", "min": min, "max": max}),
        KernelError::Scale { numerator, denominator } => {
            json!({"kind": "Scale", "numerator": numerator, "denominator": denominator})
        }
        KernelError::NoRoot { log } => json!({"kind": "NoRoot", "log": log}),
        KernelError::Threshold { parties, threshold } => {
            json!({"kind": "Threshold", "parties": parties, "threshold": threshold})
        }
        KernelError::PartyIndex { party, parties } => {
            json!({"kind": "PartyIndex", "party": party, "parties": parties})
        }
        KernelError::SameParty { party } => json!({"kind": "SameParty", "party": party}),
        KernelError::TooFewShares { given, needed } => {
            json!({"kind": "TooFewShares", "given": given, "needed": needed})
        }
        KernelError::Variance { numerator, denominator } => {
            json!({"kind": "Variance", "numerator": numerator, "denominator": denominator})
        }
        KernelError::Probability { numerator, denominator } => {
            json!({"kind": "Probability", "numerator": numerator, "denominator": denominator})
        }
        KernelError::Trials { given } => json!({"kind": "Trials", "given": given}),
        other => panic!("no vector has this refusal: {other}"),
    }
}

/// The arguments of a case.
struct Given<'a>(&'a Map<String, Value>);

impl Given<'_> {
    fn count(&self, name: &str) -> usize {
        self.0[name].as_u64().unwrap() as usize
    }
    fn wide(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap()
    }
    fn bits(&self, name: &str) -> u32 {
        self.count(name) as u32
    }
    fn words(&self, name: &str) -> Vec<u64> {
        unwords(&serde_json::from_value::<Vec<String>>(self.0[name].clone()).unwrap())
    }
    fn parties(&self, name: &str) -> Vec<u32> {
        serde_json::from_value(self.0[name].clone()).unwrap()
    }
    /// The last stream of a call.
    fn stream(&self) -> Stream {
        let position = u128::from_str_radix(self.0["position"].as_str().unwrap(), 16).unwrap();
        let mut stream = Seed::from_bytes([0; 32]).stream(0);
        for part in [position / 2, position - position / 2] {
            stream.skip(part as u64).unwrap();
        }
        stream
    }
    fn law(&self) -> Result<Laplace, KernelError> {
        Laplace::new(self.wide("numerator"), self.wide("denominator"))
    }
    /// A slice of the length that is given, all `T::default()`.
    fn of<T: Default + Clone>(&self, name: &str) -> Vec<T> {
        vec![T::default(); self.count(name)]
    }
}

/// Runs a call on what it may write, and requires that it has not.
fn kept<T: Clone + PartialEq + Default>(
    given: &Given<'_>,
    name: &str,
    call: impl FnOnce(&mut [T]) -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    let mut data = given.of::<T>(name);
    let outcome = call(&mut data);
    assert!(data == given.of::<T>(name), "what is refused is not written");
    outcome
}

/// The same, of a call that draws on streams.
fn kept_with<T: Clone + PartialEq + Default>(
    given: &Given<'_>,
    name: &str,
    call: impl FnOnce(&mut [T], &mut [Stream; 2]) -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    let mut streams = [Seed::from_bytes([0; 32]).stream(1), given.stream()];
    let before = streams.each_ref().map(Stream::position);
    let outcome = kept(given, name, |data| call(data, &mut streams));
    assert_eq!(streams.each_ref().map(Stream::position), before, "what is refused consumes nothing");
    outcome
}

fn run(device: &Device, call: &str, g: &Given<'_>) -> Result<(), KernelError> {
    match call {
        "ring::add" => kept::<u64>(g, "acc", |acc| ring::add(device, acc, &g.of("other"))),
        "ring::sub" => kept::<u64>(g, "acc", |acc| ring::sub(device, acc, &g.of("other"))),
        "ring::mul" => kept::<u64>(g, "acc", |acc| ring::mul(device, acc, &g.of("other"))),
        "chacha::keystream" => kept_with(g, "out", |out, [_, last]| chacha::keystream(device, last, out)),
        "mask::add u32" => kept_with::<u32>(g, "data", |data, [_, last]| mask::add(device, data, last)),
        "mask::add u64" => kept_with::<u64>(g, "data", |data, [_, last]| mask::add(device, data, last)),
        "mask::sub u64" => kept_with::<u64>(g, "data", |data, [_, last]| mask::sub(device, data, last)),
        "skip" => kept_with::<u8>(g, "blocks", |_, [_, last]| last.skip(g.count("blocks") as u64)),
        "share::expand" => kept_with(g, "out", |out, [_, last]| share::expand(device, out, last)),
        "share::split" => kept_with(g, "secret", |secret, streams| share::split(device, secret, streams)),
        "share::reconstruct" => kept(g, "acc", |acc| share::reconstruct(device, acc, &[&g.of("share")])),
        "replicated::multiply" => kept_with(g, "out", |out, [own, next]| {
            let [x, y] = ["x", "y"].map(|name| ["own", "next"].map(|part| g.of(&format!("{name}.{part}"))));
            let [x, y] = [&x, &y].map(|[own, next]| Pair { own, next });
            replicated::multiply(device, x, y, own, next, out)
        }),
        "replicated::reconstruct" => kept(g, "out", |out| {
            let [a, b] = ["first", "second"]
                .map(|name| ["own", "next"].map(|part| g.words(&format!("{name}.{part}"))));
            let [a, b] = [&a, &b].map(|[own, next]| Pair { own, next });
            replicated::reconstruct(device, a, b, out)
        }),
        "matmul::multiply_add" => kept::<u64>(g, "acc", |acc| {
            let [rows, inner, columns] = ["rows", "inner", "columns"].map(|name| g.count(name));
            let shape = matmul::Shape { rows, inner, columns };
            matmul::multiply_add(device, shape, &g.of("a"), &g.of("b"), acc)
        }),
        _ if g.0.contains_key("field") => match g.0["field"].as_str() {
            Some("M61") => run_field::<M61>(device, call, g),
            _ => run_field::<Field64>(device, call, g),
        },
        _ if call.starts_with("bits::") => run_bits(device, call, g),
        "Fixed" => {
            let bound = |name: &str| g.0[name].as_i64().unwrap();
            Fixed::new(g.bits("fraction_bits"), bound("min"), bound("max")).map(drop)
        }
        "fixed::encode" => {
            kept(g, "out", |out| fixed::encode(device, &g.of("values"), Fixed::new(0, 0, 1)?, out))
        }
        "fixed::decode" => kept(g, "out", |out| fixed::decode(device, &g.of("values"), g.bits("bits"), out)),
        "fixed::truncate" => {
            kept(g, "share", |share| fixed::truncate(device, share, g.bits("bits"), Role::Other))
        }
        "fixed::truncate_opened" => kept(g, "opened", |opened| {
            fixed::truncate_opened(device, opened, &g.of("mask_high"), g.bits("bits"), Role::First)
        }),
        "Ntt" => field::Ntt::new(g.bits("log")).map(drop),
        "Ntt::forward" => kept(g, "values", |values| field::Ntt::new(g.bits("log"))?.forward(device, values)),
        "Ntt::inverse" => kept(g, "values", |values| field::Ntt::new(g.bits("log"))?.inverse(device, values)),
        "Bernoulli" => Bernoulli::new(g.wide("numerator"), g.wide("denominator")).map(drop),
        "Gaussian" => Gaussian::new(g.wide("numerator"), g.wide("denominator")).map(drop),
        "Skellam" => Skellam::new(g.wide("numerator"), g.wide("denominator")).map(drop),
        "Binomial" => Binomial::new(g.bits("trials")).map(drop),
        "noise::fill Gaussian 100/1" => {
            kept_with(g, "values", |out, [_, last]| noise::fill(device, &Gaussian::new(100, 1)?, last, out))
        }
        "noise::add Binomial 128" => {
            kept_with(g, "values", |out, [_, last]| noise::add(device, &Binomial::new(128)?, last, out))
        }
        "matmul::multiply_add_batch" => kept::<u64>(g, "acc", |acc| {
            let [rows, inner, columns, count] =
                ["rows", "inner", "columns", "count"].map(|name| g.count(name));
            let shape = matmul::Shape { rows, inner, columns };
            matmul::multiply_add_batch(device, shape, count, &g.of("a"), &g.of("b"), acc)
        }),
        "matmul::transpose" => kept::<u64>(g, "to", |to| {
            matmul::transpose(device, g.count("rows"), g.count("columns"), &g.of("from"), to)
        }),
        "Laplace" => g.law().map(drop),
        "noise::laplace_fill" => {
            kept_with(g, "values", |out, [_, last]| noise::laplace_fill(device, &g.law()?, last, out))
        }
        "noise::laplace_add" => {
            kept_with(g, "values", |out, [_, last]| noise::laplace_add(device, &g.law()?, last, out))
        }
        other => panic!("refused.json has an unknown call: {other}"),
    }
}

fn run_bits(device: &Device, call: &str, g: &Given<'_>) -> Result<(), KernelError> {
    let zeros = || vec![0; g.count("width") * g.count("plane")];
    match call {
        "bits::xor" => kept(g, "acc", |acc| bits::xor(device, acc, &g.of("other"))),
        "bits::and" => kept(g, "acc", |acc| bits::and(device, acc, &g.of("other"))),
        "bits::shift_left" => {
            kept(g, "out", |out| bits::shift_left(device, &g.of("words"), g.count("by"), out))
        }
        "bits::shift_right" => {
            kept(g, "out", |out| bits::shift_right(device, &g.of("words"), g.count("by"), out))
        }
        "bits::to_planes" => kept(g, "planes", |planes| bits::to_planes(device, &g.of("values"), planes)),
        "bits::from_planes" => kept(g, "values", |values| bits::from_planes(device, &g.of("planes"), values)),
        "bits::Adder" => {
            Adder::new(device, &g.of("a"), &g.of("b"), &g.of("products"), g.count("plane")).map(drop)
        }
        "bits::Carry" => {
            Carry::new(device, &g.of("a"), &g.of("b"), &g.of("products"), g.count("plane")).map(drop)
        }
        "bits::Adder::apply" => {
            let mut adder = Adder::new(device, &zeros(), &zeros(), &zeros(), g.count("plane"))?;
            for _ in 0..g.count("rounds") {
                let inputs = adder.inputs().expect("a round");
                adder.apply(device, &inputs.left)?;
            }
            adder.apply(device, &g.of("products"))
        }
        "bits::Carry::apply" => {
            let mut carry = Carry::new(device, &zeros(), &zeros(), &zeros(), g.count("plane"))?;
            for _ in 0..g.count("rounds") {
                let inputs = carry.inputs().expect("a round");
                carry.apply(device, &inputs.left)?;
            }
            carry.apply(device, &g.of("products"))
        }
        other => panic!("refused.json has an unknown call: {other}"),
    }
}

fn scheme<F: Field>(g: &Given<'_>) -> Result<Scheme<F>, KernelError> {
    Scheme::new(g.bits("parties"), g.bits("threshold"))
}

fn run_field<F: Field>(device: &Device, call: &str, g: &Given<'_>) -> Result<(), KernelError> {
    match call {
        "field::elements" => {
            let mut words = g.words("words");
            let refused = field::elements::<F>(&words).map(drop);
            assert_eq!(field::elements_mut::<F>(&mut words).map(drop), refused);
            refused
        }
        "field::add" => kept::<F>(g, "acc", |acc| field::add(device, acc, &g.of("other"))),
        "field::sub" => kept::<F>(g, "acc", |acc| field::sub(device, acc, &g.of("other"))),
        "field::mul" => kept::<F>(g, "acc", |acc| field::mul(device, acc, &g.of("other"))),
        "field::mul_add" => kept::<F>(g, "acc", |acc| field::mul_add(device, acc, &g.of("a"), &g.of("b"))),
        "field::uniform" => kept_with::<F>(g, "out", |out, [_, last]| field::uniform(device, last, out)),
        "shamir::Scheme" => scheme::<F>(g).map(drop),
        "shamir::Scheme::split" => kept_with::<F>(g, "shares", |shares, [_, last]| {
            scheme(g)?.split(device, &g.of("secret"), last, shares)
        }),
        "shamir::Scheme::secret_from" => scheme::<F>(g)?.secret_from(&g.parties("from")).map(drop),
        "shamir::Scheme::share_from" => {
            scheme::<F>(g)?.share_from(g.bits("lost"), &g.parties("from")).map(drop)
        }
        "shamir::Scheme::decoder" => scheme::<F>(g)?.decoder(&g.parties("from")).map(drop),
        "field::dot" => field::dot::<F>(device, &g.of("a"), &g.of("b")).map(drop),
        "field::lagrange_weights" => {
            field::lagrange_weights(field::elements::<F>(&g.words("points"))?, F::ZERO).map(drop)
        }
        other => panic!("refused.json has an unknown call: {other}"),
    }
}

#[test]
fn refusals() {
    let vectors: Vec<Refused> = serde_json::from_str(include_str!("vectors/refused.json")).unwrap();
    for device in devices() {
        for (i, vector) in vectors.iter().enumerate() {
            let place = || format!("refused.json[{i}], {} on {}", vector.call, device.describe());
            let outcome = run(&device, &vector.call, &Given(&vector.given));
            let refusal = outcome.expect_err(&place());
            assert_eq!(told(refusal), vector.refusal, "{}", place());
        }
    }
}
