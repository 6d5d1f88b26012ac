// Two u64 lanes in 128 bits. `&`, `|` and `^` are WGSL's own in both modes; shifts and carries are here.

#ifdef NATIVE

alias Pair = vec2<u64>;

fn pair(low: vec2<u32>, high: vec2<u32>) -> Pair {
    return vec2<u64>(low) | (vec2<u64>(high) << vec2<u32>(32u));
}

fn pair_low(a: Pair) -> vec2<u32> {
    return vec2<u32>(a);
}

fn pair_high(a: Pair) -> vec2<u32> {
    return vec2<u32>(a >> vec2<u32>(32u));
}

fn pair_add(a: Pair, b: Pair) -> Pair {
    return a + b;
}

fn pair_sub(a: Pair, b: Pair) -> Pair {
    return a - b;
}

// The whole products of words.
fn pair_wide(a: vec2<u32>, b: vec2<u32>) -> Pair {
    return vec2<u64>(a) * vec2<u64>(b);
}

fn pair_mul(a: Pair, b: Pair) -> Pair {
    return a * b;
}

fn pair_less(a: Pair, b: Pair) -> vec2<bool> {
    return a < b;
}

fn pair_select(no: Pair, yes: Pair, choice: vec2<bool>) -> Pair {
    return select(no, yes, choice);
}

// Shifts by 0 to 63.
fn pair_left(a: Pair, by: vec2<u32>) -> Pair {
    return a << by;
}

fn pair_right(a: Pair, by: vec2<u32>) -> Pair {
    return a >> by;
}

#else

// Low and high word of lane 0, then of lane 1: the order of a little-endian u64 in memory.
alias Pair = vec4<u32>;

fn pair(low: vec2<u32>, high: vec2<u32>) -> Pair {
    return vec4<u32>(low.x, high.x, low.y, high.y);
}

fn pair_low(a: Pair) -> vec2<u32> {
    return a.xz;
}

fn pair_high(a: Pair) -> vec2<u32> {
    return a.yw;
}

fn pair_add(a: Pair, b: Pair) -> Pair {
    let low = a.xz + b.xz;
    let carry = select(vec2<u32>(0u), vec2<u32>(1u), low < a.xz);
    return pair(low, a.yw + b.yw + carry);
}

fn pair_sub(a: Pair, b: Pair) -> Pair {
    let borrow = select(vec2<u32>(0u), vec2<u32>(1u), a.xz < b.xz);
    return pair(a.xz - b.xz, a.yw - b.yw - borrow);
}

// The high word comes from four 16-bit products: WGSL has no wide multiply.
fn pair_wide(a: vec2<u32>, b: vec2<u32>) -> Pair {
    let half = vec2<u32>(16u);
    let mask = vec2<u32>(0xffffu);
    let a0 = a & mask;
    let a1 = a >> half;
    let b0 = b & mask;
    let b1 = b >> half;
    let p01 = a0 * b1;
    let p10 = a1 * b0;
    let middle = ((a0 * b0) >> half) + (p01 & mask) + (p10 & mask);
    let high = a1 * b1 + (p01 >> half) + (p10 >> half) + (middle >> half);
    return pair(a * b, high);
}

fn pair_mul(a: Pair, b: Pair) -> Pair {
    let low = pair_wide(a.xz, b.xz);
    return pair(low.xz, low.yw + a.xz * b.yw + a.yw * b.xz);
}

fn pair_less(a: Pair, b: Pair) -> vec2<bool> {
    return (a.yw < b.yw) | ((a.yw == b.yw) & (a.xz < b.xz));
}

fn pair_select(no: Pair, yes: Pair, choice: vec2<bool>) -> Pair {
    return select(no, yes, choice.xxyy);
}

// Shifts by 0 to 63. A word is never shifted by 32 or more, which no two drivers do alike.
fn pair_left(a: Pair, by: vec2<u32>) -> Pair {
    let n = by & vec2<u32>(31u);
    let low = a.xz << n;
    let high = (a.yw << n) | ((a.xz >> vec2<u32>(1u)) >> (vec2<u32>(31u) - n));
    return pair_select(pair(low, high), pair(vec2<u32>(0u), low), by >= vec2<u32>(32u));
}

fn pair_right(a: Pair, by: vec2<u32>) -> Pair {
    let n = by & vec2<u32>(31u);
    let high = a.yw >> n;
    let low = (a.xz >> n) | ((a.yw << vec2<u32>(1u)) << (vec2<u32>(31u) - n));
    return pair_select(pair(low, high), pair(high, vec2<u32>(0u)), by >= vec2<u32>(32u));
}

#endif

// Both lanes the same value, given low word first.
fn pair_splat(a: vec2<u32>) -> Pair {
    return pair(a.xx, a.yy);
}

// Four words of memory or keystream.
fn pair_words(words: vec4<u32>) -> Pair {
    return pair(words.xz, words.yw);
}
