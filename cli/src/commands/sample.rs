//! `veilgrid sample`: the noise itself, so that anyone can test it with tools of their own.

use crate::{failure::Failure, output};
use clap::Args;
use std::io::{self, IsTerminal};
use veilgrid_kernels::{Device, Laplace, Seed, noise};
use veilgrid_party::exit::Exit;

/// Samples of a batch: a multiple of the sampler's groups of eight, so that batches do not show in the output.
const BATCH: u64 = 1 << 16;
/// The stream that a party takes its noise from.
const NOISE_STREAM: u64 = 2;

/// Writes noise to standard output: discrete Laplace samples, each as a little-endian 64-bit integer
///
/// The very code that a party adds noise with. The law: P(x) is in proportion to exp(-|x| / scale), for every integer x;
/// docs/noise.md says how far the sampler is from it.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid sample --scale 7/2 --count 10 | od -An -w8 -td8
  veilgrid sample --scale 10 --count 100000000 > noise.i64
  python3 -c \"import numpy; print(numpy.fromfile('noise.i64', '<i8').var())\"

The variance is 2 q / (1 - q)^2 with q = exp(-1 / scale): 199.83 for scale 10.
The same seed gives the same samples on every device; a longer count only goes
on where a shorter one ended.
Exit codes: 0 done, 2 a wrong scale or seed, or a terminal to write to.")]
pub(crate) struct SampleArgs {
    /// The scale, a whole number or a fraction, from 1/8 to 1099511627776
    #[arg(long, value_name = "N[/M]", value_parser = scale)]
    scale: Laplace,
    /// How many samples
    #[arg(long, value_name = "N")]
    count: u64,
    /// Samples of a known seed, 64 hexadecimal digits; they are no secret noise. Without it, from the operating system
    #[arg(long, value_name = "HEX", value_parser = seed)]
    seed: Option<[u8; 32]>,
}

pub(crate) fn run(args: &SampleArgs) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        let remedy = "send it to a file (> noise.i64) or to a reader (| od -An -w8 -td8)";
        return Err(Failure::new(
            Exit::Usage,
            format!("samples are binary, and standard output is a terminal; {remedy}"),
        ));
    }
    let device = Device::cpu().map_err(|error| Failure::new(Exit::Device, error.to_string()))?;
    let seed = match args.seed {
        Some(bytes) => Seed::from_bytes(bytes),
        None => Seed::random().map_err(|error| {
            Failure::new(Exit::Internal, format!("the operating system gives no randomness: {error}"))
        })?,
    };
    let mut stream = seed.stream(NOISE_STREAM);
    let mut samples = vec![0; BATCH.min(args.count) as usize];
    let mut bytes = vec![0; samples.len() * 8];
    let mut left = args.count;
    while left > 0 {
        let batch = left.min(BATCH) as usize;
        let (samples, bytes) = (&mut samples[..batch], &mut bytes[..batch * 8]);
        noise::laplace_fill(&device, &args.scale, &mut stream, samples)
            .map_err(|error| Failure::new(Exit::Device, error.to_string()))?;
        for (bytes, sample) in bytes.chunks_exact_mut(8).zip(samples) {
            bytes.copy_from_slice(&sample.to_le_bytes());
        }
        if !output::say_bytes(&mut out, bytes)? {
            break;
        }
        left -= batch as u64;
    }
    Ok(())
}

/// `7/2` or `10`.
fn scale(text: &str) -> Result<Laplace, String> {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    let number =
        |text: &str| text.parse::<u64>().map_err(|_| "write a whole number or a fraction, such as 7/2");
    Laplace::new(number(numerator)?, number(denominator)?).map_err(|error| error.to_string())
}

/// 64 hexadecimal digits.
fn seed(text: &str) -> Result<[u8; 32], String> {
    let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut seed = [0; 32];
    if !digits {
        return Err("write 64 hexadecimal digits".to_owned());
    }
    for (byte, index) in seed.iter_mut().zip(0..) {
        let index = 2 * index;
        *byte = u8::from_str_radix(&text[index..index + 2], 16).map_err(|error| error.to_string())?;
    }
    Ok(seed)
}
