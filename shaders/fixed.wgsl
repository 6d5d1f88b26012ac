// Fixed point from and to IEEE 754 binary64, in place and by integer arithmetic alone: few GPUs have f64, and
// none must be trusted to round it. One invocation converts, or truncates, two numbers.

#kernel fixed_encode ENCODE
#kernel fixed_decode DECODE
#kernel fixed_truncate

#import params
#import pair

@group(0) @binding(1) var<storage, read_write> data: array<Pair>;

#ifdef ENCODE

// A finite x is significand * 2^(exponent - 1075). With 1075 <= exponent + bits, |x * 2^bits| is at least 2^52,
// beyond every bound; else the significand goes right by 1 or more, rounded to nearest with ties to even. By 54
// or more it is below one half and gives 0, as do subnormal numbers, whose significand needs no care therefore.
fn encode(x: Pair) -> Pair {
    let one = pair_splat(vec2<u32>(1u, 0u));
    let high = pair_high(x);
    let exponent = (high >> vec2<u32>(20u)) & vec2<u32>(0x7ffu);
    let fraction = high & vec2<u32>(0xfffffu);
    let significand = pair(pair_low(x), fraction | vec2<u32>(0x100000u));

    let scaled = exponent + vec2<u32>(params.bits);
    let by = min(vec2<u32>(1075u) - min(scaled, vec2<u32>(1074u)), vec2<u32>(54u));
    let odd = pair_right(significand, by) & one;
    let below_half = pair_sub(pair_left(one, by - vec2<u32>(1u)), one);
    let near = pair_right(pair_add(significand, pair_add(below_half, odd)), by);
    let huge = pair_splat(vec2<u32>(0u, 0x100000u));
    let size = pair_select(near, huge, scaled >= vec2<u32>(1075u));

    // Flipping the sign bit of both sides makes an unsigned comparison of a signed one.
    let flip = pair_splat(vec2<u32>(0u, 0x80000000u));
    let lower = pair_splat(params.lower) ^ flip;
    let upper = pair_splat(params.upper) ^ flip;
    let negative = high >= vec2<u32>(0x80000000u);
    var y = pair_select(size, pair_sub(pair_splat(vec2<u32>(0u)), size), negative) ^ flip;
    y = pair_select(y, lower, pair_less(y, lower));
    y = pair_select(y, upper, pair_less(upper, y));
    let nan = (exponent == vec2<u32>(0x7ffu)) & ((fraction | pair_low(x)) != vec2<u32>(0u));
    return pair_select(y, lower, nan) ^ flip;
}

#define CONVERT encode

#else
#ifdef DECODE

// The size is moved up until its top bit is bit 63; the upper 53 bits are the significand, the lower 11 are
// rounded to nearest with ties to even. A significand that rounds up to 2^53 carries into the exponent.
fn decode(x: Pair) -> Pair {
    let sign = pair_high(x) & vec2<u32>(0x80000000u);
    let size = pair_select(x, pair_sub(pair_splat(vec2<u32>(0u)), x), sign != vec2<u32>(0u));
    let low = pair_low(size);
    let high = pair_high(size);
    let none = (low | high) == vec2<u32>(0u);
    let in_low = vec2<u32>(32u) + countLeadingZeros(low);
    let zeros = min(select(countLeadingZeros(high), in_low, high == vec2<u32>(0u)), vec2<u32>(63u));

    let top = pair_left(size, zeros);
    let significand = pair_right(top, vec2<u32>(11u));
    let rest = pair_low(top) & vec2<u32>(0x7ffu);
    let odd = pair_low(significand) & vec2<u32>(1u);
    let up = (rest + odd) > vec2<u32>(0x400u);
    let exponent = vec2<u32>(1085u - params.bits) - zeros;
    let rounded = pair_add(significand, pair(select(vec2<u32>(0u), vec2<u32>(1u), up), exponent << vec2<u32>(20u)));
    let zero = pair_splat(vec2<u32>(0u));
    return pair_select(rounded, zero, none) | pair(vec2<u32>(0u), sign);
}

#define CONVERT decode

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

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    data[i] = CONVERT(data[i]);
}
