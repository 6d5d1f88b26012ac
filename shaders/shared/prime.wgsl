// Two elements of a prime field, canonical before and after: modulo 2^61 - 1 where M61 is defined, else modulo
// 2^64 - 2^32 + 1. They are words in both modes, as in memory: a GPU's own u64 serves products and their sums, but where words
// are compared and corrected it would be taken apart and put together again, which costs more than a carry.

#import pair

// 1 where that holds.
fn prime_bit(x: vec2<bool>) -> vec2<u32> {
    return select(vec2<u32>(0u), vec2<u32>(1u), x);
}

#ifdef M61

// The remainder of lower and upper words of at most 2 (2^61 - 2). One more has bit 61 set if that is not below the modulus,
// and is then the difference but for that bit.
fn prime_once(low: vec2<u32>, high: vec2<u32>) -> vec4<u32> {
    let low1 = low + vec2<u32>(1u);
    let high1 = high + prime_bit(low1 == vec2<u32>(0u));
    let over = high1 >= vec2<u32>(0x20000000u);
    let x = select(low, low1, over);
    let y = select(high, high1 - vec2<u32>(0x20000000u), over);
    return vec4<u32>(x.x, y.x, x.y, y.y);
}

fn prime_add(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    let low = a.xz + b.xz;
    return prime_once(low, a.yw + b.yw + prime_bit(low < a.xz));
}

// Below zero, the lower 61 bits of the difference are 2^61 more than it, one more than what is wanted.
fn prime_sub(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    let low = a.xz - b.xz;
    let high = a.yw - b.yw - prime_bit(a.xz < b.xz);
    let below = high >= vec2<u32>(0x80000000u);
    let x = low - prime_bit(below);
    let y = (high - prime_bit(below & (low == vec2<u32>(0u)))) & vec2<u32>(0x1fffffffu);
    return vec4<u32>(x.x, y.x, x.y, y.y);
}

// A product is below 2^122: what is above its lower 61 bits is added to them, and the sum is at most 2 (2^61 - 2).
fn prime_mul(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    let low = pair_wide(a.xz, b.xz);
    let cross = pair_add(pair_wide(a.yw, b.xz), pair_wide(a.xz, b.yw));
    let middle = pair_add(cross, pair_upper(low));
    let high = pair_wide(a.yw, b.yw);
    let above = pair_add(pair_left(high, vec2<u32>(3u)), pair_right(middle, vec2<u32>(29u)));
    let sum = pair_add(above, pair_whole(pair_low(low)));
    return prime_once(pair_low(sum), pair_high(sum) + (pair_low(middle) & vec2<u32>(0x1fffffffu)));
}

// The remainder of `low + 2^64 high`, whatever the two: 2^61 is 1, so the lower 61 bits, eight times the upper ones, and what
// is above 61 bits of either. That is below 2^62 + 2^7, and what is above its 61 bits comes to it once more.
fn prime_reduce(low: vec4<u32>, high: vec4<u32>) -> vec4<u32> {
    let mask = vec2<u32>(0x1fffffffu);
    let eight = high.xz << vec2<u32>(3u);
    let above = (low.yw >> vec2<u32>(29u)) + (high.yw >> vec2<u32>(26u));
    let a = low.xz + eight;
    let b = a + above;
    let c = (low.yw & mask) + (((high.yw << vec2<u32>(3u)) | (high.xz >> vec2<u32>(29u))) & mask);
    let d = c + prime_bit(a < eight) + prime_bit(b < above);
    let e = b + (d >> vec2<u32>(29u));
    return prime_once(e, (d & mask) + prime_bit(e < b));
}

#else

// An upper word that is full has an empty lower one: else the element would not be below the modulus. So an upper word and
// the carry or borrow of lower words are a word again.

fn prime_add(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    let low = a.xz + b.xz;
    let more = b.yw + prime_bit(low < a.xz);
    let high = a.yw + more;
    // Less the modulus is 1 less in the lower word, and 1 more in the upper one unless the lower one was empty.
    let some = low != vec2<u32>(0u);
    let over = (high < more) | ((high == vec2<u32>(0xffffffffu)) & some);
    let x = low - prime_bit(over);
    let y = high + prime_bit(over & some);
    return vec4<u32>(x.x, y.x, x.y, y.y);
}

fn prime_sub(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    let low = a.xz - b.xz;
    let more = b.yw + prime_bit(a.xz < b.xz);
    return prime_plus(low, a.yw - more, a.yw < more);
}

// Plus the modulus where asked for: 1 more in the lower word, and 1 less in the upper one unless the lower one was full.
fn prime_plus(low: vec2<u32>, high: vec2<u32>, wanted: vec2<bool>) -> vec4<u32> {
    let x = low + prime_bit(wanted);
    let y = high - prime_bit(wanted & (x != vec2<u32>(0u)));
    return vec4<u32>(x.x, y.x, x.y, y.y);
}

// The remainder of (h1 2^32 + h0) 2^64 + l1 2^32 + l0, whatever the words: of low - h1 + h0 (2^32 - 1).
fn prime_fold(l0: vec2<u32>, l1: vec2<u32>, h0: vec2<u32>, h1: vec2<u32>) -> vec4<u32> {
    // x = low - h1. Where that is below zero the upper word has grown, and the modulus is added.
    let d1 = l1 - prime_bit(l0 < h1);
    let x = prime_plus(l0 - h1, d1, d1 > l1);
    // x + h0 (2^32 - 1) - modulus = x0 - h0 - 1 + (x1 + h0 + 1 - borrow) 2^32 - 2^64. What comes to x1 is a word, since
    // there is a borrow if h0 is full. Where x1 does not overflow that is below zero.
    let more = h0 + prime_bit(x.xz > h0);
    let high = x.yw + more;
    return prime_plus(x.xz - h0 - vec2<u32>(1u), high, high >= more);
}

// The remainder of `low + 2^64 high`, whatever the two.
fn prime_reduce(low: vec4<u32>, high: vec4<u32>) -> vec4<u32> {
    return prime_fold(low.xz, low.yw, high.xz, high.yw);
}

fn prime_mul(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    let low = pair_wide(a.xz, b.xz);
    let first = pair_add(pair_wide(a.yw, b.xz), pair_upper(low));
    let second = pair_add(pair_wide(a.xz, b.yw), pair_whole(pair_low(first)));
    let high = pair_add(pair_add(pair_wide(a.yw, b.yw), pair_upper(first)), pair_upper(second));
    return prime_fold(pair_low(low), pair_low(second), pair_low(high), pair_high(high));
}

#endif
