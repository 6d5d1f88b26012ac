//! Calls of which the frozen answers hold more than a result: on a stream, and in planes.

use super::format::{Round, Rounds, words};
use veilgrid_kernels::bits::{Adder, AndInputs, Carry};
use veilgrid_kernels::{Device, KernelError, Laplace, Stream, chacha, mask, noise, share, spec};

/// Makes a call on `length` zeros and gives what it wrote.
pub fn on_stream(
    device: &Device,
    call: &str,
    length: usize,
    stream: &mut Stream,
) -> Result<Vec<u64>, KernelError> {
    let (mut bytes, mut narrow, mut out) = (vec![0u8; length], vec![0u32; length], vec![0u64; length]);
    match call {
        "skip" => {
            out.clear();
            stream.skip(length as u64)?;
        }
        "chacha::keystream" => {
            chacha::keystream(device, stream, &mut bytes)?;
            out = bytes.into_iter().map(u64::from).collect();
        }
        "mask::add u32" => {
            mask::add(device, &mut narrow, stream)?;
            out = narrow.into_iter().map(u64::from).collect();
        }
        "mask::add u64" => mask::add(device, &mut out, stream)?,
        "mask::sub u64" => mask::sub(device, &mut out, stream)?,
        "share::expand" => share::expand(device, &mut out, stream)?,
        "noise::laplace_fill 10/1" => {
            let mut samples = vec![0; length];
            noise::laplace_fill(device, &Laplace::new(10, 1)?, stream, &mut samples)?;
            out = samples.into_iter().map(|sample| sample as u64).collect();
        }
        other => panic!("stream.json has an unknown call: {other}"),
    }
    Ok(out)
}

fn and(left: &[u64], right: &[u64]) -> Vec<u64> {
    let mut product = left.to_vec();
    spec::bits::and(&mut product, right);
    product
}

fn round(inputs: &AndInputs) -> Round {
    Round { left: words(&inputs.left), right: words(&inputs.right) }
}

/// `a + b` in planes of `plane` words.
pub fn sum(device: &Device, a: &[u64], b: &[u64], plane: usize) -> Result<Rounds, KernelError> {
    let mut adder = Adder::new(device, a, b, &and(a, b), plane)?;
    let mut rounds = Vec::new();
    while let Some(inputs) = adder.inputs() {
        rounds.push(round(&inputs));
        adder.apply(device, &and(&inputs.left, &inputs.right))?;
    }
    Ok(Rounds { rounds, planes: words(&adder.sum(device)?) })
}

/// `a < b` in planes of `plane` words.
pub fn less(device: &Device, a: &[u64], b: &[u64], plane: usize) -> Result<Rounds, KernelError> {
    let mut not_a = a.to_vec();
    spec::bits::not(&mut not_a);
    let mut carry = Carry::new(device, &not_a, b, &and(&not_a, b), plane)?;
    let mut rounds = Vec::new();
    while let Some(inputs) = carry.inputs() {
        rounds.push(round(&inputs));
        carry.apply(device, &and(&inputs.left, &inputs.right))?;
    }
    Ok(Rounds { rounds, planes: words(&carry.plane()) })
}
