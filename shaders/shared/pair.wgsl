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

// The upper 64 bits of `high` and `low` next to each other, moved up by 1 to 63.
fn pair_funnel(high: Pair, low: Pair, by: u32) -> Pair {
    return (high << vec2<u32>(by)) | (low >> vec2<u32>(64u - by));
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

// The high word comes from four 16-bit products, since WGSL has no wide multiply. A product of halves plus a half is
// still a word, so nothing is carried but what is shifted.
fn pair_wide(a: vec2<u32>, b: vec2<u32>) -> Pair {
    let half = vec2<u32>(16u);
    let mask = vec2<u32>(0xffffu);
    let a0 = a & mask;
    let a1 = a >> half;
    let b0 = b & mask;
    let b1 = b >> half;
    let first = a1 * b0 + ((a0 * b0) >> half);
    let second = a0 * b1 + (first & mask);
    return pair(a * b, a1 * b1 + (first >> half) + (second >> half));
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

// The upper 64 bits of `high` and `low` next to each other, moved up by 1 to 63: of three words, which are the upper ones
// or, from 32 on, those below.
fn pair_funnel(high: Pair, low: Pair, by: u32) -> Pair {
    let far = by >= 32u;
    let n = vec2<u32>(by & 31u);
    let back = vec2<u32>(31u) - n;
    let a = select(high.yw, high.xz, far);
    let b = select(high.xz, low.yw, far);
    let c = select(low.yw, low.xz, far);
    let one = vec2<u32>(1u);
    return pair((b << n) | ((c >> one) >> back), (a << n) | ((b >> one) >> back));
}

#endif

// Words as whole numbers.
fn pair_whole(a: vec2<u32>) -> Pair {
#ifdef NATIVE
    return vec2<u64>(a);
#else
    return vec4<u32>(a.x, 0u, a.y, 0u);
#endif
}

// The upper words as whole numbers.
fn pair_upper(a: Pair) -> Pair {
#ifdef NATIVE
    return a >> vec2<u32>(32u);
#else
    return pair_whole(a.yw);
#endif
}

// Both lanes the same value, given low word first.
fn pair_splat(a: vec2<u32>) -> Pair {
    return pair(a.xx, a.yy);
}

// Four words of memory or keystream.
fn pair_words(words: vec4<u32>) -> Pair {
    return pair(words.xz, words.yw);
}

// The four words as they are in memory.
fn pair_memory(a: Pair) -> vec4<u32> {
    let low = pair_low(a);
    let high = pair_high(a);
    return vec4<u32>(low.x, high.x, low.y, high.y);
}
