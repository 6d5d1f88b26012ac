//! Plans: a stream, plus one vector, times another; stored or summed. The same over vectors that are on the device already
//! and over such as come from the host.

use super::stream::{ROUNDS, STREAM, key, opened};
use super::words::folded;
use super::{BLOCK, BLOCKS, Batch, Case, Item, VECTOR, vector};
use bytemuck::Pod;
use std::time::Instant;
use veilgrid_kernels::{Buffer, Device, Plan, Stream, Word};

/// Words of the program: its head, its steps and a stream.
const HEAD: usize = 4;
const STEPS: usize = 4 * 20;
const WORDS: usize = HEAD + STEPS + 4 * 12;
/// Buffers that a program may read.
const SOURCES: usize = 6;
/// What the three steps do, and from where: a stream, or the buffer of that number.
const PROGRAM: [[u32; 4]; 3] = [[0, SOURCES as u32, 0, 0], [1, 0, 0, 0], [3, 1, 0, 0]];

/// Two loads of a vector and a store, by 128 bits.
const STORED: [f64; 2] = [12.0; 2];

/// Whether the time of a batch leaves out how its vectors come and go.
const WAYS: [(&str, bool); 2] = [("resident", true), ("from the host", false)];

pub(super) fn stored<T: Word + Item>(kernel: &str, words: usize) -> Vec<Case> {
    let batch = |resident| -> Batch {
        Box::new(move |device, vectors| {
            let given = [T::of(&vectors[1])?, T::of(&vectors[2])?];
            let mut out = vectors[0].clone();
            let began = Instant::now();
            let [a, b] = [device.upload(given[0])?, device.upload(given[1])?];
            let mut target = device.buffer(a.len())?;
            let there = Instant::now();
            plan(device, &a, &b, &mut opened()).store(&mut target)?;
            let alone = there.elapsed();
            target.read(T::of_mut(&mut out)?)?;
            Ok((out, if resident { alone } else { began.elapsed() }))
        })
    };
    let case = |(way, resident)| {
        let name = format!("Plan::store, {way}");
        let target = vec![0; words];
        chained::<T>(Case::new(kernel, &name, words / BLOCK, batch(resident)), target, 24 * words, STORED)
    };
    WAYS.map(case).into()
}

pub(super) fn summed<T: Word + Item + Pod + Into<u64>>(kernel: &str, words: usize) -> Vec<Case> {
    let batch = |resident| -> Batch {
        Box::new(move |device, vectors| {
            let given = [T::of(&vectors[1])?, T::of(&vectors[2])?];
            let began = Instant::now();
            let [a, b] = [device.upload(given[0])?, device.upload(given[1])?];
            let there = Instant::now();
            let sum = plan(device, &a, &b, &mut opened()).sum()?;
            Ok((vec![sum.into()], if resident { there.elapsed() } else { began.elapsed() }))
        })
    };
    // Two loads, and the sums of four vectors.
    let least = if T::PER == 2 { [20.0; 2] } else { [32.0, 20.0] };
    let case = |(way, resident)| {
        let name = format!("Plan::sum, {way}");
        let totals = vec![0; VECTOR * words / (BLOCK * BLOCKS)];
        let case = Case::new(kernel, &name, words / BLOCK, batch(resident));
        Case { host: folded::<T>, ..chained::<T>(case, totals, 16 * words, least) }
    };
    WAYS.map(case).into()
}

fn plan<'a, T: Word>(
    device: &Device,
    a: &'a Buffer<T>,
    b: &'a Buffer<T>,
    stream: &'a mut Stream,
) -> Plan<'a, T> {
    Plan::new(device, a.len()).load(stream).add(a).mul(b)
}

/// The dispatch of that plan. The minimum is not the limit's, which is of the whole text of an interpreter: `beside` the rounds it
/// is a sum and a product of each element.
fn chained<T: Item>(case: Case, first: Vec<u64>, moved: usize, beside: [f64; 2]) -> Case {
    let (blocks, words) = (case.units, case.units * BLOCK);
    let mut program = vec![0; WORDS];
    program[..3].copy_from_slice(&[blocks as u32, PROGRAM.len() as u32, 2 * words as u32]);
    program[HEAD..][..4 * PROGRAM.len()].copy_from_slice(PROGRAM.as_flattened());
    let key: Vec<u32> = key().collect();
    program[HEAD + STEPS..][..key.len()].copy_from_slice(&key);
    program[HEAD + STEPS + key.len() + 2] = STREAM as u32;
    // What no step reads must be bound as well.
    let mut vectors = vec![first, vector::<u64>(words, 1), vector::<u64>(words, 2)];
    vectors.resize(1 + SOURCES, vec![0; BLOCK]);
    let steps = if T::PER == 2 { [32.0; 2] } else { [32.0 + 96.0, 16.0 + 40.0] };
    let least = [0, 1].map(|mode| (ROUNDS + steps[mode] + beside[mode]) * blocks as f64);
    Case { least, ..case.with(moved, program, vectors, blocks.div_ceil(BLOCKS)) }
}
