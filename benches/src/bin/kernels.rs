//! Noise, keystream and masks on one core beside the crates that people use today. A line each for `report.py`.

use chacha20::ChaCha20Legacy;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use dashu::rational::RBig;
use opendp::traits::samplers::{sample_discrete_gaussian, sample_discrete_laplace};
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use std::error::Error;
use std::hint::black_box;
use veilgrid_benches::{BYTES, Beside, Row, SAMPLES, VECTORS, Wanted, crate_version, levels};
use veilgrid_kernels::noise::{self, Law};
use veilgrid_kernels::{
    Bernoulli, Binomial, Device, Gaussian, Laplace, Level, Seed, Skellam, Stream, chacha, mask,
};

const LOCK: &str = include_str!("../../Cargo.lock");
const KEY: [u8; 32] = [1; 32];

type At<'a> = (Level, &'a Device);

fn main() -> Result<(), Box<dyn Error>> {
    for (level, device) in &levels(&VECTORS)? {
        let at = (*level, device);
        noise_beside(at, "discrete Laplace", &Laplace::new(10, 1)?, |scale| {
            black_box(sample_discrete_laplace(scale).expect("a sample"));
        });
        noise_beside(at, "discrete Gaussian", &Gaussian::new(10, 1)?, |scale| {
            black_box(sample_discrete_gaussian(scale).expect("a sample"));
        });
        noise_alone(at, "discrete Gaussian", "scale 1,000", &Gaussian::new(1000, 1)?);
        noise_alone(at, "discrete Gaussian", "scale 2^40", &Gaussian::new(1 << 40, 1)?);
        noise_alone(at, "Skellam", "variance 100", &Skellam::new(100, 1)?);
        noise_alone(at, "binomial", "400 trials", &Binomial::new(400)?);
        noise_alone(at, "Bernoulli", "1/3", &Bernoulli::new(1, 3)?);
        for bytes in [16 << 10, 1 << 20] {
            keystreams(at, bytes)?;
        }
        expand_and_add(at);
    }
    Ok(())
}

fn stream() -> Stream {
    Seed::from_bytes(KEY).stream(0)
}

fn peer_cipher() -> ChaCha20Legacy {
    ChaCha20Legacy::new(&KEY.into(), &[0; 8].into())
}

const SAMPLES_OF_A_ROUND: usize = 1 << 18;

fn draw((_, device): At<'_>, law: &impl Law) -> impl FnMut() {
    let (mut stream, mut out) = (stream(), vec![0; SAMPLES_OF_A_ROUND]);
    move || noise::fill(device, law, &mut stream, &mut out).expect("samples")
}

/// At scale 10. The peer's time for a sample does not depend on how many it draws.
fn noise_beside(at: At<'_>, work: &str, law: &impl Law, mut peer: impl FnMut(RBig)) {
    const PEER: usize = 1 << 12;
    let scale = RBig::from(10u8);
    let times = Beside::processor(51, draw(at, law), || {
        for _ in 0..PEER {
            peer(scale.clone());
        }
    });
    let peer = &crate_version("opendp", LOCK);
    let row =
        Row { table: "noise", work, size: "scale 10", peer, unit: SAMPLES, wanted: Wanted::both(200.0) };
    row.print(at.0, (SAMPLES_OF_A_ROUND, PEER), &times);
}

fn noise_alone(at: At<'_>, work: &str, size: &str, law: &impl Law) {
    let times = Beside::processor(21, draw(at, law), || ());
    let row = Row { table: "noise", work, size, peer: "", unit: SAMPLES, wanted: Wanted::default() };
    row.print(at.0, (SAMPLES_OF_A_ROUND, 0), &times);
}

/// Beside the `chacha20` crate and OpenSSL, which encrypts zeros, its way to a keystream: one context for all, as a user
/// would keep.
fn keystreams(at: At<'_>, bytes: usize) -> Result<(), Box<dyn Error>> {
    let mut cipher = peer_cipher();
    let name = crate_version("chacha20", LOCK);
    keystream_beside(at, (&name, Wanted::of(2.8, 1.35)), bytes, |out| cipher.write_keystream(out));
    // Its own choice of instructions is of the whole CPU's, unless the environment keeps it from them.
    if at.0 == Level::Avx2 && std::env::var_os("OPENSSL_ia32cap").is_none() {
        eprintln!("OpenSSL is not kept to AVX2: left out");
        return Ok(());
    }
    let mut context = CipherCtx::new()?;
    context.encrypt_init(Some(Cipher::chacha20()), Some(&KEY), Some(&[0; 16]))?;
    let zeros = vec![0; bytes];
    let name = openssl::version::version().split(' ').take(2).collect::<Vec<_>>().join(" ");
    keystream_beside(at, (&name, Wanted::both(1.0)), bytes, |out| {
        context.cipher_update(&zeros, Some(out)).expect("keystream");
    });
    Ok(())
}

fn keystream_beside(
    (level, device): At<'_>,
    (peer, wanted): (&str, Wanted),
    bytes: usize,
    mut of_peer: impl FnMut(&mut [u8]),
) {
    let (mut stream, mut out, mut peer_out) = (stream(), vec![0; bytes], vec![0; bytes]);
    let repeats = (4 << 20) / bytes;
    let times = Beside::processor(
        51,
        || {
            for _ in 0..repeats {
                chacha::keystream(device, &mut stream, black_box(&mut out)).expect("keystream");
            }
        },
        || {
            for _ in 0..repeats {
                of_peer(black_box(&mut peer_out));
            }
        },
    );
    let total = bytes * repeats;
    let size = if bytes < 1 << 20 { format!("{} KiB", bytes >> 10) } else { format!("{} MiB", bytes >> 20) };
    let row = Row { table: "streams", work: "ChaCha20 keystream", size: &size, peer, unit: BYTES, wanted };
    row.print(level, (total, total), &times);
}

/// The peer fills a buffer with keystream and adds it in a second pass.
fn expand_and_add((level, device): At<'_>) {
    const LEN: usize = 64 << 20;
    let (mut stream, mut data) = (stream(), vec![0u64; LEN / 8]);
    let (mut cipher, mut peer_data, mut filled) = (peer_cipher(), vec![0u64; LEN / 8], vec![0u8; LEN]);
    let times = Beside::processor(
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
    let peer = &format!("{}, then a loop that adds", crate_version("chacha20", LOCK));
    let wanted = Wanted::of(3.0, 1.6);
    let row =
        Row { table: "streams", work: "expand-and-add mask", size: "64 MiB", peer, unit: BYTES, wanted };
    row.print(level, (LEN, LEN), &times);
}
