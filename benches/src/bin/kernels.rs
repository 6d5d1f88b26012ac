//! The kernels on one core beside the crates that people use today. Prints rows of `docs/performance.md`.

use chacha20::ChaCha20Legacy;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use dashu::rational::RBig;
use opendp::traits::samplers::sample_discrete_laplace;
use std::error::Error;
use std::hint::black_box;
use veilgrid_benches::{cpu_name, side_by_side};
use veilgrid_kernels::{Device, Laplace, Seed, Stream, chacha, mask, noise};

const KEY: [u8; 32] = [1; 32];

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::cpu()?;
    println!("{}, {}", cpu_name(), device.describe());
    println!("| work | level | Veilgrid | peer | ratio |\n|---|---|---|---|---|");
    laplace(&device)?;
    keystream(&device, 16 << 10)?;
    keystream(&device, 1 << 20)?;
    expand_and_add(&device)?;
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

/// Samples a second; the peer's time per sample does not depend on how many it draws.
fn laplace(device: &Device) -> Result<(), Box<dyn Error>> {
    const OURS: usize = 1 << 18;
    const PEER: usize = 1 << 12;
    let law = Laplace::new(10, 1)?;
    let scale = RBig::from(10u8);
    let (mut stream, mut out) = (stream(), vec![0; OURS]);
    let (ours, peer) = side_by_side(
        51,
        || noise::laplace_fill(device, &law, &mut stream, &mut out).expect("samples"),
        || {
            for _ in 0..PEER {
                black_box(sample_discrete_laplace(scale.clone()).expect("a sample"));
            }
        },
    );
    let millions = |samples: usize, seconds| samples as f64 / seconds / 1e6;
    row(
        device,
        "discrete Laplace, scale 10 (`opendp`)",
        millions(OURS, ours),
        millions(PEER, peer),
        "M samples/s",
    );
    Ok(())
}

fn gigabytes(bytes: usize, seconds: f64) -> f64 {
    bytes as f64 / seconds / 1e9
}

fn keystream(device: &Device, bytes: usize) -> Result<(), Box<dyn Error>> {
    let (mut stream, mut out) = (stream(), vec![0; bytes]);
    let (mut cipher, mut peer_out) = (peer_cipher(), vec![0; bytes]);
    let repeats = (4 << 20) / bytes;
    let (ours, peer) = side_by_side(
        51,
        || {
            for _ in 0..repeats {
                chacha::keystream(device, &mut stream, black_box(&mut out)).expect("keystream");
            }
        },
        || {
            for _ in 0..repeats {
                cipher.write_keystream(black_box(&mut peer_out));
            }
        },
    );
    let total = bytes * repeats;
    let work = format!("ChaCha20 keystream, {} KiB (`chacha20`)", bytes >> 10);
    row(device, &work, gigabytes(total, ours), gigabytes(total, peer), "GB/s");
    Ok(())
}

/// The peer fills a buffer with keystream and adds it in a second pass.
fn expand_and_add(device: &Device) -> Result<(), Box<dyn Error>> {
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
    Ok(())
}
