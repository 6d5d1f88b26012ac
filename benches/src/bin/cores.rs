//! Batches on all cores beside the same on one, by the clock on the wall: long ones, which are cut, and short ones, which
//! must not pay for it. And a chain of steps as one plan beside the same steps one by one.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;
use veilgrid_benches::cpu_name;
use veilgrid_kernels::{
    Device, Field, Field64, KernelError, Laplace, Plan, Seed, Stream, field, mask, matmul, noise, ring,
};

const ROUNDS: usize = 101;
/// What short batches are repeated to, so that the clock is fine enough.
const AT_LEAST: usize = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let all = Device::cpu()?;
    let one = all.clone().with_threads(1);
    println!(
        "{}, {}, {} threads beside 1; µs, medians and (least)",
        cpu_name(),
        all.describe(),
        all.threads()
    );
    println!("| batch | elements | one thread | all threads | times as fast |\n|---|---|---|---|---|");
    for len in [1_000, 10_000, 100_000, 1_000_000] {
        batches(&one, &all, len)?;
    }
    println!("\n| chain of 1e6 u64, one thread | µs |\n|---|---|");
    chain(&one, 1_000_000)?;
    Ok(())
}

fn stream() -> Stream {
    Seed::from_bytes([1; 32]).stream(0)
}

fn batches(one: &Device, all: &Device, len: usize) -> Result<(), Box<dyn Error>> {
    let law = Laplace::new(10, 1)?;
    let (mut acc, other) = (vec![3u64; len], vec![5u64; len]);
    let elements = vec![Field64::new(7).unwrap_or(Field64::ONE); len];
    let mut product = elements.clone();
    let mut own = stream();
    row("ring::add u64", len, one, all, |device| ring::add(device, &mut acc, &other))?;
    row("ring::sum u64", len, one, all, |device| ring::sum(device, &other).map(|sum| _ = black_box(sum)))?;
    row("mask::add u64", len, one, all, |device| mask::add(device, &mut acc, &mut own))?;
    row("field::mul Field64", len, one, all, |device| field::mul(device, &mut product, &elements))?;
    row("noise::laplace_add, scale 10", len, one, all, |device| {
        noise::laplace_add(device, &law, &mut own, &mut acc)
    })?;
    let side = len.isqrt().min(512);
    let shape = matmul::Shape { rows: side, inner: side, columns: side };
    let (a, b) = (vec![3u64; side * side], vec![5u64; side * side]);
    let mut sums = a.clone();
    let name = format!("matmul u64, {side} square");
    row(&name, side * side, one, all, |device| matmul::multiply_add(device, shape, &a, &b, &mut sums))
}

fn row(
    name: &str,
    len: usize,
    one: &Device,
    all: &Device,
    mut work: impl FnMut(&Device) -> Result<(), KernelError>,
) -> Result<(), Box<dyn Error>> {
    let repeats = (AT_LEAST / len).clamp(1, 200);
    let mut time = |device: &Device| -> Result<f64, KernelError> {
        let start = Instant::now();
        for _ in 0..repeats {
            work(device)?;
        }
        Ok(start.elapsed().as_secs_f64() * 1e6 / repeats as f64)
    };
    time(one)?;
    time(all)?;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(time(one)?);
        times[1].push(time(all)?);
    }
    let [(single, single_least), (many, many_least)] = times.map(middle);
    println!(
        "| {name} | {len} | {single:.2} ({single_least:.2}) | {many:.2} ({many_least:.2}) | {:.2} ({:.2}) |",
        single / many,
        single_least / many_least
    );
    Ok(())
}

/// The median and the least.
fn middle(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

/// Expand, add, multiply, sum.
fn chain(device: &Device, len: usize) -> Result<(), Box<dyn Error>> {
    let (added, factor) = (vec![3u64; len], vec![5u64; len]);
    let (a, b) = (device.upload(&added)?, device.upload(&factor)?);
    let mut vector = vec![0u64; len];
    let (mut apart, mut fused) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        vector.fill(0);
        mask::add(device, &mut vector, &mut stream())?;
        ring::add(device, &mut vector, &added)?;
        ring::mul(device, &mut vector, &factor)?;
        let want = black_box(ring::sum(device, &vector)?);
        apart.push(start.elapsed().as_secs_f64() * 1e6);
        let start = Instant::now();
        let got = Plan::new(device, len).load(&mut stream()).add(&a).mul(&b).sum()?;
        fused.push(start.elapsed().as_secs_f64() * 1e6);
        assert_eq!(got, want);
    }
    let ((apart, apart_least), (fused, fused_least)) = (middle(apart), middle(fused));
    println!(
        "| step by step | {apart:.0} ({apart_least:.0}) |\n| one plan | {fused:.0} ({fused_least:.0}) |"
    );
    Ok(())
}
