// What the host hands to every kernel. A kernel reads the fields of its family and no others.

struct Params {
    // Units of work: tiles, which need no count (ring, fixed, bits, field, ntt), 128-bit vectors (powers, shamir), keystream
    // blocks (chacha, mask), groups of 8 samples (noise) or elements (uniform).
    count: u32,
    // fixed: fraction bits. bits: the shift. field: bits of the exponent. ntt: the pass. noise: the number of octal digits,
    // of seven thresholds each; of draws from a table; of words of trials.
    bits: u32,
    // First block of the keystream, low word first.
    block: vec2<u32>,
    // Stream id, low word first.
    stream: vec2<u32>,
    // fixed: bounds of an encoding; lower is the sign of a truncation, or what it keeps. matmul, shamir, uniform: see there. field: lower is
    // the exponent. noise: lower is the threshold of zero; or the number of a table's thresholds, and 1 where it is
    // signed; or which bits of the last word are trials, and upper is half the number of trials. ntt: lower is a
    // factor of all results; for `stream` and upper see there.
    lower: vec2<u32>,
    upper: vec2<u32>,
    key: array<vec4<u32>, 2>,
    // noise: one threshold an entry, low word first.
    thresholds: array<vec4<u32>, 112>,
}

@group(0) @binding(0) var<uniform> params: Params;
