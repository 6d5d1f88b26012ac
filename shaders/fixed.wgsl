// Fixed point from and to IEEE 754 binary64, in place and by integer arithmetic alone: few GPUs have f64, and
// none must be trusted to round it. One invocation converts, or truncates, four vectors of two numbers.

#kernel fixed_encode ENCODE
#kernel fixed_decode DECODE
#kernel fixed_truncate
#kernel fixed_truncate_opened OPENED

#import params
#import pair
#import tile

@group(0) @binding(1) var<storage, read_write> data: array<Pair>;

#ifdef ENCODE

// A finite x is significand * 2^(exponent - 1075), and times 2^bits goes right by 1075 - bits - exponent: first by one less,
// so that the bit below one half comes last, then by the last, rounded to nearest with ties to even: up with that bit, if what
// was lost is not zero or the result is odd. Where nothing is to go right, x * 2^bits is 2^52 at least, beyond every bound;
// from 54 on there is nothing left, also of subnormal numbers, whose significand needs no care therefore.
fn encode(x: Pair) -> Pair {
    let exponent = exponent_of(x);
    let least = vec2<u32>(1074u - params.bits);
    let by = min(least - exponent, vec2<u32>(63u));
    let significand = significand_of(x);
    let near = pair_right(significand, by);
    let lost = any_below(significand, by);
    let odd = (pair_low(near) & vec2<u32>(2u)) != vec2<u32>(0u);
    let up = select(vec2<u32>(0u), vec2<u32>(1u), lost | odd);
    let half = pair_right(pair_add(near, pair_whole(up)), vec2<u32>(1u));
    let huge = pair_splat(vec2<u32>(0u, 0x100000u));
    let size = pair_select(half, huge, exponent > least);

    // What is no number is as far below as can be.
    let none = pair_less(pair_splat(vec2<u32>(0u, 0xffe00000u)), pair_left(x, vec2<u32>(1u)));
    let negative = none | is_negative(x);
    var y = pair_select(size, pair_sub(pair_splat(vec2<u32>(0u)), size), negative);
    let lower = pair_splat(params.lower);
    let upper = pair_splat(params.upper);
    y = pair_select(y, lower, less_signed(y, lower));
    return pair_select(y, upper, less_signed(upper, y));
}

#ifdef NATIVE

fn exponent_of(x: Pair) -> vec2<u32> {
    return vec2<u32>(x >> vec2<u32>(52u)) & vec2<u32>(0x7ffu);
}

fn significand_of(x: Pair) -> Pair {
    return (x & Pair(0xffffffffffffflu)) | Pair(0x10000000000000lu);
}

// Whether one of the lowest `by` bits is set.
fn any_below(a: Pair, by: vec2<u32>) -> vec2<bool> {
    return ((a >> by) << by) != a;
}

fn is_negative(a: Pair) -> vec2<bool> {
    return bitcast<vec2<i64>>(a) < vec2<i64>(0li);
}

fn less_signed(a: Pair, b: Pair) -> vec2<bool> {
    return bitcast<vec2<i64>>(a) < bitcast<vec2<i64>>(b);
}

#else

fn exponent_of(x: Pair) -> vec2<u32> {
    return extractBits(x.yw, 20u, 11u);
}

fn significand_of(x: Pair) -> Pair {
    return pair(x.xz, (x.yw & vec2<u32>(0xfffffu)) | vec2<u32>(0x100000u));
}

fn any_below(a: Pair, by: vec2<u32>) -> vec2<bool> {
    let far = by >= vec2<u32>(32u);
    let one = vec2<u32>(1u);
    let mask = (one << (by & vec2<u32>(31u))) - one;
    return ((select(a.xz, a.yw, far) & mask) | select(vec2<u32>(0u), a.xz, far)) != vec2<u32>(0u);
}

fn is_negative(a: Pair) -> vec2<bool> {
    return a.yw >= vec2<u32>(0x80000000u);
}

// Flipping the sign bit of both sides makes an unsigned comparison of a signed one.
fn less_signed(a: Pair, b: Pair) -> vec2<bool> {
    let flip = vec4<u32>(0u, 0x80000000u, 0u, 0x80000000u);
    return pair_less(a ^ flip, b ^ flip);
}

#endif

#define CONVERT encode

#else
#ifdef DECODE

// The size is moved up until its top bit is bit 63; the upper 53 bits are the significand, the lower 11 are
// rounded to nearest with ties to even. A significand that rounds up to 2^53 carries into the exponent.
fn decode(x: Pair) -> Pair {
    let sign = x & pair_splat(vec2<u32>(0u, 0x80000000u));
    let zero = pair_splat(vec2<u32>(0u));
    let size = pair_select(x, pair_sub(zero, x), pair_high(x) >= vec2<u32>(0x80000000u));
    let high = pair_high(size);
    let in_low = high == vec2<u32>(0u);
    let leading = select(high, pair_low(size), in_low);
    let zeros = countLeadingZeros(leading) + select(vec2<u32>(0u), vec2<u32>(32u), in_low);

    let top = pair_left(size, zeros & vec2<u32>(63u));
    let significand = pair_right(top, vec2<u32>(11u));
    let rest = pair_low(top) & vec2<u32>(0x7ffu);
    let odd = pair_low(significand) & vec2<u32>(1u);
    let up = select(vec2<u32>(0u), vec2<u32>(1u), (rest + odd) > vec2<u32>(0x400u));
    let exponent = pair_left(pair_whole(vec2<u32>(1085u - params.bits) - zeros), vec2<u32>(52u));
    let rounded = pair_add(pair_add(significand, exponent), pair_whole(up));
    return pair_select(rounded, zero, zeros == vec2<u32>(64u)) | sign;
}

#define CONVERT decode

#else
#ifdef OPENED

@group(0) @binding(2) var<storage, read> masks: array<Pair>;

// All bits of `params.lower` set keep what is shifted; with none it is 0, whatever the data are. Below the mask is taken off.
fn shifted(x: Pair) -> Pair {
    return pair_right(x, vec2<u32>(params.bits)) & pair_splat(params.lower);
}

#define CONVERT shifted

#else

// With all bits of `params.lower` set the negative is shifted, and taken back; with none the share itself.
fn truncate(x: Pair) -> Pair {
    let sign = pair_splat(params.lower);
    let shifted = pair_right(pair_sub(x ^ sign, sign), vec2<u32>(params.bits));
    return pair_sub(shifted ^ sign, sign);
}

#define CONVERT truncate

#endif
#endif
#endif

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let i = tile_first(local, group);
#for K,AT 0,0u 1,64u 2,128u 3,192u
    let data_K = data[i + AT];
#ifdef OPENED
    let mask_K = masks[i + AT];
#endif
#endfor
#for K,AT 0,0u 1,64u 2,128u 3,192u
#ifdef OPENED
    data[i + AT] = pair_sub(CONVERT(data_K), mask_K);
#else
    data[i + AT] = CONVERT(data_K);
#endif
#endfor
}
