//! Plans, against the same steps one by one.

use super::{ID, KEY, elements, lengths, positions, stream};
use crate::plan::{MAX_BUFFERS, MAX_STEPS, MAX_STREAMS, Operand};
use crate::{Device, KernelError, Plan, Stream, Word, spec};

/// Where a step's operand comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// The buffer of that number, below 6.
    Buffer(usize),
    /// A stream of its own; at most four of these, and each begins at another place.
    Stream,
    /// A number.
    Constant(u64),
}

/// A chain of `(action, operand, second operand)`, where only the last action, `mul_add`, has a second, is the same as
/// its steps one by one: written over a vector, and summed. Actions are counted modulo 7.
pub fn chain<T: Word>(device: &Device, len: usize, steps: &[(u8, Source, Source)]) {
    let buffers: Vec<Vec<T>> = (0..MAX_BUFFERS as u64).map(|id| elements(20 + id, len)).collect();
    let resident: Vec<_> = buffers.iter().map(|values| device.upload(values).expect("an upload")).collect();
    let streams = || -> Vec<Stream> {
        positions().into_iter().zip(0..).map(|(block, id)| stream(ID + id, block)).collect()
    };
    let constant = |value: u64| T::from_le(&value.to_le_bytes()[..size_of::<T>()]);

    let plan = |own: &mut [Stream], target: Option<&mut crate::Buffer<T>>| {
        let mut left = own.iter_mut();
        let mut operand = |source| -> Operand<'_, T> {
            match source {
                Source::Buffer(number) => (&resident[number]).into(),
                Source::Stream => left.next().expect("at most four streams").into(),
                Source::Constant(value) => constant(value).into(),
            }
        };
        let mut plan = Plan::new(device, len);
        for (action, y, z) in steps {
            plan = match action % 7 {
                0 => plan.load(operand(*y)),
                1 => plan.add(operand(*y)),
                2 => plan.sub(operand(*y)),
                3 => plan.mul(operand(*y)),
                4 => plan.xor(operand(*y)),
                5 => plan.and(operand(*y)),
                _ => plan.mul_add(operand(*y), operand(*z)),
            };
        }
        match target {
            Some(target) => plan.store(target).map(|()| T::ZERO),
            None => plan.sum(),
        }
    };
    let one_by_one = |vector: &mut [T]| {
        let mut used = 0;
        let mut operand = |source| -> Vec<T> {
            match source {
                Source::Buffer(number) => buffers[number].clone(),
                Source::Stream => {
                    used += 1;
                    spec::mask::words(&KEY, ID + used - 1, positions()[used as usize - 1], len)
                }
                Source::Constant(value) => vec![constant(value); len],
            }
        };
        for (action, y, z) in steps {
            let mut y = operand(*y);
            match action % 7 {
                0 => vector.copy_from_slice(&y),
                1 => spec::ring::add(vector, &y),
                2 => spec::ring::sub(vector, &y),
                3 => spec::ring::mul(vector, &y),
                4 => vector.iter_mut().zip(&y).for_each(|(x, y)| *x = *x ^ *y),
                5 => vector.iter_mut().zip(&y).for_each(|(x, y)| *x = *x & *y),
                _ => {
                    spec::ring::mul(&mut y, &operand(*z));
                    spec::ring::add(vector, &y);
                }
            }
        }
        used
    };

    let what = || format!("{} bits, length {len}, steps {steps:?}", 8 * size_of::<T>());
    let mut want = elements::<T>(30, len);
    let mut target = device.upload(&want).expect("an upload");
    let mut own = streams();
    plan(&mut own, Some(&mut target)).expect("a plan");
    let used = one_by_one(&mut want);
    assert!(target.download().expect("a download") == want, "a store differs: {}", what());
    for (i, stream) in own.iter().enumerate() {
        let blocks = if (i as u64) < used { (len * size_of::<T>()).div_ceil(64) } else { 0 };
        assert_eq!(stream.position(), u128::from(positions()[i]) + blocks as u128, "{}", what());
    }
    let mut want = vec![T::ZERO; len];
    one_by_one(&mut want);
    assert_eq!(plan(&mut streams(), None), Ok(spec::ring::sum(&want)), "a sum differs: {}", what());
}

/// Chains of every action and kind of operand, short and as long as they may be.
pub fn plans(device: &Device) {
    let draws = elements::<u64>(31, 1 << 14);
    let mut draw = draws.iter().map(|x| x.rotate_left(20));
    for len in lengths() {
        let mut streams = 0;
        let mut source = |draw: &mut dyn Iterator<Item = u64>| match draw.next().expect("a draw") % 8 {
            6 if streams < MAX_STREAMS => {
                streams += 1;
                Source::Stream
            }
            7 => Source::Constant(draw.next().expect("a draw")),
            number => Source::Buffer(number as usize % MAX_BUFFERS),
        };
        let count = draw.next().expect("a draw") as usize % (MAX_STEPS / 2 + 1);
        let steps: Vec<_> = (0..count)
            .map(|_| {
                let action = (draw.next().expect("a draw") % 7) as u8;
                let y = source(&mut draw);
                // Only a product has a second operand, and streams are counted.
                (action, y, if action == 6 { source(&mut draw) } else { Source::Constant(0) })
            })
            .collect();
        if len % 2 == 0 { chain::<u32>(device, len, &steps) } else { chain::<u64>(device, len, &steps) }
    }
    use Source::{Buffer, Constant, Stream};
    for len in [0, 1, 130, 16_385] {
        let unused = Constant(0);
        let longest: Vec<_> =
            (0..MAX_STEPS).map(|i| (1 + i as u8 % 5, Buffer(i % MAX_BUFFERS), unused)).collect();
        chain::<u64>(device, len, &longest);
        chain::<u32>(device, len, &longest);
        // Expand, add, multiply, sum; and a product of two streams.
        let usual = [(0, Stream, unused), (1, Buffer(0), unused), (3, Buffer(1), unused)];
        chain::<u64>(device, len, &usual);
        chain::<u32>(
            device,
            len,
            &[(6, Stream, Stream), (2, Stream, unused), (6, Constant(u64::MAX), Stream)],
        );
    }
}

/// What does not fit is refused, and nothing is taken or written.
pub fn plans_refused(device: &Device) {
    let (short, long) =
        (device.upload(&[1u64; 3]).expect("an upload"), device.upload(&[1u64; 4]).expect("an upload"));
    let mut target = device.upload(&[7u64; 3]).expect("an upload");
    let mut own = stream(ID, 5);
    let refused = Plan::new(device, 3).load(&mut own).add(&long).store(&mut target);
    assert_eq!(
        refused,
        Err(KernelError::Size { operation: "Plan", slice: "an operand", given: 4, needed: 3 })
    );
    let refused = Plan::new(device, 4).load(&mut own).add(&long).store(&mut target);
    assert_eq!(
        refused,
        Err(KernelError::Size { operation: "Plan", slice: "the target", given: 3, needed: 4 })
    );
    let many = (0..=MAX_STEPS).fold(Plan::new(device, 3).load(&mut own), |plan, _| plan.add(&short));
    let refused = KernelError::PlanTooLarge { what: "steps", given: MAX_STEPS + 2, most: MAX_STEPS };
    assert_eq!(many.store(&mut target), Err(refused));
    let buffers: Vec<_> = (0..=MAX_BUFFERS).map(|_| device.upload(&[1u64; 3]).expect("an upload")).collect();
    let many = buffers.iter().fold(Plan::new(device, 3), |plan, buffer| plan.add(buffer));
    assert!(matches!(many.sum(), Err(KernelError::PlanTooLarge { what: "buffers", .. })));
    let mut streams: Vec<Stream> = (0..=MAX_STREAMS as u64).map(|id| stream(id, 0)).collect();
    let many = streams.iter_mut().fold(Plan::<u64>::new(device, 3), |plan, stream| plan.add(stream));
    assert!(matches!(many.sum(), Err(KernelError::PlanTooLarge { what: "streams", .. })));
    assert!(streams.iter().all(|stream| stream.position() == 0));

    let mut at_end = stream(ID, u64::MAX);
    at_end.skip(1).expect("the last block");
    let refused = Plan::new(device, 3).load(&mut own).add(&mut at_end).store(&mut target);
    assert!(matches!(refused, Err(KernelError::StreamExhausted { .. })));
    assert_eq!(own.position(), 5);
    assert_eq!(target.download(), Ok(vec![7; 3]));
    assert_eq!(
        target.write(&[1]),
        Err(KernelError::Size { operation: "Buffer::write", slice: "values", given: 1, needed: 3 })
    );
    assert!(target.read(&mut [0; 4]).is_err());
    assert_eq!(device.buffer::<u32>(5).and_then(|zeros| zeros.download()), Ok(vec![0; 5]));
}
