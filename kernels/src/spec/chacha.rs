//! ChaCha20 (RFC 8439, section 2.3) with a 64-bit block counter and a 64-bit stream id, as in Bernstein's original.

/// Keystream block `block` of stream `id` under `key`: twenty rounds, RFC byte order.
///
/// State words 12 and 13 are the block counter and 14 and 15 the stream id, low word first.
pub fn block(key: &[u8; 32], id: u64, block: u64) -> [u8; 64] {
    let mut state = [0u32; 16];
    state[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
    for (word, bytes) in state[4..12].iter_mut().zip(key.chunks_exact(4)) {
        *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    state[12] = block as u32;
    state[13] = (block >> 32) as u32;
    state[14] = id as u32;
    state[15] = (id >> 32) as u32;

    let mut x = state;
    for _ in 0..10 {
        quarter_round(&mut x, 0, 4, 8, 12);
        quarter_round(&mut x, 1, 5, 9, 13);
        quarter_round(&mut x, 2, 6, 10, 14);
        quarter_round(&mut x, 3, 7, 11, 15);
        quarter_round(&mut x, 0, 5, 10, 15);
        quarter_round(&mut x, 1, 6, 11, 12);
        quarter_round(&mut x, 2, 7, 8, 13);
        quarter_round(&mut x, 3, 4, 9, 14);
    }
    let mut out = [0; 64];
    for i in 0..16 {
        out[4 * i..4 * i + 4].copy_from_slice(&x[i].wrapping_add(state[i]).to_le_bytes());
    }
    out
}

fn quarter_round(x: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    for (up, left) in [(16, 12), (8, 7)] {
        x[a] = x[a].wrapping_add(x[b]);
        x[d] = (x[d] ^ x[a]).rotate_left(up);
        x[c] = x[c].wrapping_add(x[d]);
        x[b] = (x[b] ^ x[c]).rotate_left(left);
    }
}

/// Writes the keystream from the first byte of block `first` on. The caller sees to it that it does not end
/// past block 2^64 - 1.
pub fn keystream(key: &[u8; 32], id: u64, first: u64, out: &mut [u8]) {
    for (i, chunk) in out.chunks_mut(64).enumerate() {
        chunk.copy_from_slice(&block(key, id, first + i as u64)[..chunk.len()]);
    }
}
