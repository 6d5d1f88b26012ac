//! The kernels on one core beside the crates that people use today. Prints rows of `docs/performance.md`.

use chacha20::ChaCha20Legacy;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use dashu::rational::RBig;
use opendp::traits::samplers::{sample_discrete_gaussian, sample_discrete_laplace};
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use std::error::Error;
use std::hint::black_box;
use veilgrid_benches::{cpu_name, side_by_side};
use veilgrid_kernels::noise::{self, Law};
use veilgrid_kernels::{Bernoulli, Binomial, Device, Gaussian, Laplace, Seed, Skellam, Stream, chacha, mask};

const KEY: [u8; 32] = [1; 32];

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::cpu()?.with_threads(1);
    println!("{}, {}", cpu_name(), device.describe());
    println!("| work | level | Veilgrid | peer | ratio |\n|---|---|---|---|---|");
    let work = "discrete Laplace, scale 10 (`opendp`)";
    noise_beside(&device, work, &Laplace::new(10, 1)?, |scale| {
        black_box(sample_discrete_laplace(scale).expect("a sample"));
    });
    let work = "discrete Gaussian, scale 10 (`opendp`)";
    noise_beside(&device, work, &Gaussian::new(10, 1)?, |scale| {
        black_box(sample_discrete_gaussian(scale).expect("a sample"));
    });
    other_laws(&device)?;
    for bytes in [16 << 10, 1 << 20] {
        keystreams(&device, bytes)?;
    }
    expand_and_add(&device);
    Ok(())
}

fn stream() -> Stream {
    Seed::from_bytes(KEY).stream(0)
}

fn peer_cipher() -> ChaCha20Legacy {
    ChaCha20Legacy::new(&KEY.into(), &[0; 8].into())
}

fn row(device: &Device, work: &str, ours: f64, peer: f64, unit: &str) {
    let level = device.describe();
    println!("| {work} | {level} | {ours:.3} {unit} | {peer:.3} {unit} | {:.2} |", ours / peer);
}

const SAMPLES: usize = 1 << 18;

/// Samples a second; the peer's time per sample does not depend on how many it draws.
fn noise_beside(device: &Device, work: &str, law: &impl Law, mut peer: impl FnMut(RBig)) {
    const PEER: usize = 1 << 12;
    let scale = RBig::from(10u8);
    let (mut stream, mut out) = (stream(), vec![0; SAMPLES]);
    let (ours, theirs) = side_by_side(
        51,
        || noise::fill(device, law, &mut stream, &mut out).expect("samples"),
        || {
            for _ in 0..PEER {
                peer(scale.clone());
            }
        },
    );
    row(device, work, SAMPLES as f64 / ours / 1e6, PEER as f64 / theirs / 1e6, "M samples/s");
}

/// Without a peer.
fn noise_alone(device: &Device, work: &str, law: &impl Law) {
    let (mut stream, mut out) = (stream(), vec![0; SAMPLES]);
    let (ours, _) =
        side_by_side(21, || noise::fill(device, law, &mut stream, &mut out).expect("samples"), || ());
    let rate = SAMPLES as f64 / ours / 1e6;
    println!("| {work} | {} | {rate:.3} M samples/s | | |", device.describe());
}

fn other_laws(device: &Device) -> Result<(), Box<dyn Error>> {
    noise_alone(device, "discrete Gaussian, scale 1000", &Gaussian::new(1000, 1)?);
    noise_alone(device, "discrete Gaussian, scale 2^40", &Gaussian::new(1 << 40, 1)?);
    noise_alone(device, "Skellam, variance 100", &Skellam::new(100, 1)?);
    noise_alone(device, "binomial, 400 trials", &Binomial::new(400)?);
    noise_alone(device, "Bernoulli, 1/3", &Bernoulli::new(1, 3)?);
    Ok(())
}

fn gigabytes(bytes: usize, seconds: f64) -> f64 {
    bytes as f64 / seconds / 1e9
}

/// Beside the `chacha20` crate and OpenSSL, which encrypts zeros, its way to a keystream: one context for all, as a user
/// would keep.
fn keystreams(device: &Device, bytes: usize) -> Result<(), Box<dyn Error>> {
    let mut cipher = peer_cipher();
    keystream_beside(device, "`chacha20`", bytes, |out| cipher.write_keystream(out));
    let mut context = CipherCtx::new()?;
    context.encrypt_init(Some(Cipher::chacha20()), Some(&KEY), Some(&[0; 16]))?;
    let zeros = vec![0; bytes];
    keystream_beside(device, openssl::version::version(), bytes, |out| {
        context.cipher_update(&zeros, Some(out)).expect("keystream");
    });
    Ok(())
}

fn keystream_beside(device: &Device, name: &str, bytes: usize, mut peer: impl FnMut(&mut [u8])) {
    let (mut stream, mut out, mut peer_out) = (stream(), vec![0; bytes], vec![0; bytes]);
    let repeats = (4 << 20) / bytes;
    let (ours, theirs) = side_by_side(
        51,
        || {
            for _ in 0..repeats {
                chacha::keystream(device, &mut stream, black_box(&mut out)).expect("keystream");
            }
        },
        || {
            for _ in 0..repeats {
                peer(black_box(&mut peer_out));
            }
        },
    );
    let (total, work) = (bytes * repeats, format!("ChaCha20 keystream, {} KiB ({name})", bytes >> 10));
    row(device, &work, gigabytes(total, ours), gigabytes(total, theirs), "GB/s");
}

/// The peer fills a buffer with keystream and adds it in a second pass.
fn expand_and_add(device: &Device) {
    const BYTES: usize = 64 << 20;
    let (mut stream, mut data) = (stream(), vec![0u64; BYTES / 8]);
    let (mut cipher, mut peer_data, mut filled) = (peer_cipher(), vec![0u64; BYTES / 8], vec![0u8; BYTES]);
    let (ours, peer) = side_by_side(
        21,
        || mask::add(device, black_box(&mut data), &mut stream).expect("a mask"),
        || {
            cipher.write_keystream(&mut filled);
            let (words, _) = filled.as_chunks();
            for (value, word) in black_box(&mut peer_data).iter_mut().zip(words) {
                *value = value.wrapping_add(u64::from_le_bytes(*word));
            }
        },
    );
    let work = "expand-and-add mask, 64 MiB (`chacha20` fill, then an add loop)";
    row(device, work, gigabytes(BYTES, ours), gigabytes(BYTES, peer), "GB/s");
}
