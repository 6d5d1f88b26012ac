//! Batches on all cores beside the same on one, by the clock on the wall: long ones, which are cut, and short ones, which
//! must not pay for it. And a chain of steps as one plan beside the same steps one by one. A line each for `report.py`.

use std::error::Error;
use std::hint::black_box;
use veilgrid_benches::{Beside, ELEMENTS, PRODUCTS, Row, Unit, Wanted};
use veilgrid_kernels::{
    Device, Field, Field64, KernelError, Laplace, Level, Plan, Seed, Stream, field, mask, matmul, noise, ring,
};

const ROUNDS: usize = 101;
/// What short batches are repeated to, so that the clock is fine enough.
const AT_LEAST: usize = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let level = Level::best();
    let all = Device::cpu_at(level)?;
    let one = all.clone().with_threads(1);
    for len in [1_000, 1_000_000] {
        batches(level, &one, &all, len)?;
    }
    chain(level, &one, 1_000_000)
}

fn stream() -> Stream {
    Seed::from_bytes([1; 32]).stream(0)
}

fn batches(level: Level, one: &Device, all: &Device, len: usize) -> Result<(), Box<dyn Error>> {
    let law = Laplace::new(10, 1)?;
    let (mut acc, other) = (vec![3u64; len], vec![5u64; len]);
    let elements = vec![Field64::new(7).unwrap_or(Field64::ONE); len];
    let mut product = elements.clone();
    let mut own = stream();
    let size = format!("{len} elements");
    let row = |work, work_of: &mut dyn FnMut(&Device) -> Result<(), KernelError>| {
        beside(level, (work, &size, ELEMENTS), (len, len), one, all, work_of);
    };
    row("add u64", &mut |device| ring::add(device, &mut acc, &other));
    row("sum u64", &mut |device| ring::sum(device, &other).map(|sum| _ = black_box(sum)));
    row("expand-and-add mask", &mut |device| mask::add(device, &mut acc, &mut own));
    row("`Field64` product", &mut |device| field::mul(device, &mut product, &elements));
    row("add noise, discrete Laplace of scale 10", &mut |device| {
        noise::laplace_add(device, &law, &mut own, &mut acc)
    });
    let side = len.isqrt().min(512);
    let shape = matmul::Shape { rows: side, inner: side, columns: side };
    let (a, b) = (vec![3u64; side * side], vec![5u64; side * side]);
    let mut sums = a.clone();
    let of = ("u64 matrices", &*format!("{side}^3"), PRODUCTS);
    beside(level, of, (side * side, side.pow(3)), one, all, &mut |device| {
        matmul::multiply_add(device, shape, &a, &b, &mut sums)
    });
    Ok(())
}

/// `len` elements, and what is counted of them.
fn beside(
    level: Level,
    (work, size, unit): (&str, &str, Unit),
    (len, counted): (usize, usize),
    one: &Device,
    all: &Device,
    work_of: &mut dyn FnMut(&Device) -> Result<(), KernelError>,
) {
    let repeats = (AT_LEAST / len).clamp(1, 200);
    let work_of = std::cell::RefCell::new(work_of);
    let times = |device: &Device| {
        for _ in 0..repeats {
            (work_of.borrow_mut())(device).expect("a batch");
        }
    };
    let times = Beside::wall(ROUNDS, || times(all), || times(one));
    let size = format!("{size}, {} threads", all.threads());
    let wanted = if len < 100_000 || all.threads() != 2 { Wanted::default() } else { Wanted::both(1.8) };
    let row = Row { table: "cores", work, size: &size, peer: "one thread", unit, wanted };
    row.print(level, (counted * repeats, counted * repeats), &times);
}

/// Expand, add, multiply, sum.
fn chain(level: Level, device: &Device, len: usize) -> Result<(), Box<dyn Error>> {
    let (added, factor) = (vec![3u64; len], vec![5u64; len]);
    let (a, b) = (device.upload(&added)?, device.upload(&factor)?);
    let mut vector = vec![0u64; len];
    let plan = || Plan::new(device, len).load(&mut stream()).add(&a).mul(&b).sum();
    let mut steps = || -> Result<u64, KernelError> {
        vector.fill(0);
        mask::add(device, &mut vector, &mut stream())?;
        ring::add(device, &mut vector, &added)?;
        ring::mul(device, &mut vector, &factor)?;
        ring::sum(device, &vector)
    };
    assert_eq!(plan()?, steps()?);
    let times = Beside::wall(
        ROUNDS,
        || _ = black_box(plan().expect("a sum")),
        || _ = black_box(steps().expect("a sum")),
    );
    let row = Row {
        table: "cores",
        work: "expand, add, multiply, sum as one plan",
        size: &format!("{len} elements, one thread"),
        peer: "step by step",
        unit: ELEMENTS,
        wanted: Wanted::default(),
    };
    row.print(level, (len, len), &times);
    Ok(())
}
