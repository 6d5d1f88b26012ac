// Sums of products: of ring elements as they are, modulo 2^61 - 1 reduced late.

#import lanes

#ifdef M61

#import prime

// An element is `low + 2^31 high`, and 2^62 is 2: so a sum has a part of weight 1 and one of weight 2^31. Settled,
// both are below 2^61 + 8, and two more products make them less than 2^64.
struct Sum {
    one: Pair,
    cross: Pair,
}

fn sum_zero() -> Sum {
    let zero = pair_splat(vec2<u32>(0u));
    return Sum(zero, zero);
}

fn sum_low(a: Pair) -> vec2<u32> {
    return pair_low(a) & vec2<u32>(0x7fffffffu);
}

fn sum_high(a: Pair) -> vec2<u32> {
    return (pair_low(a) >> vec2<u32>(31u)) | (pair_high(a) << vec2<u32>(1u));
}

// At most two after the sum was settled.
fn sum_product(sum: Sum, a: Pair, b: Pair) -> Sum {
    let a_low = sum_low(a);
    let a_high = sum_high(a);
    let b_low = sum_low(b);
    let b_high = sum_high(b);
    let one = pair_add(pair_wide(a_low, b_low), pair_wide(a_high, b_high << vec2<u32>(1u)));
    let cross = pair_add(pair_wide(a_low, b_high), pair_wide(a_high, b_low));
    return Sum(pair_add(sum.one, one), pair_add(sum.cross, cross));
}

// The same modulo 2^61 - 1, below 2^61 + 8.
fn sum_fold(x: Pair) -> Pair {
    let low = x & pair_splat(vec2<u32>(0xffffffffu, 0x1fffffffu));
    return pair_add(low, pair_right(x, vec2<u32>(61u)));
}

fn sum_settled(sum: Sum) -> Sum {
    return Sum(sum_fold(sum.one), sum_fold(sum.cross));
}

// A settled sum plus an element. `2^31 (low + 2^30 high)` is `2^31 low + high`.
fn sum_added(sum: Sum, a: Pair) -> Pair {
    let low = pair_low(sum.cross) & vec2<u32>(0x3fffffffu);
    let turned = pair(low << vec2<u32>(31u), low >> vec2<u32>(1u));
    let high = pair_right(sum.cross, vec2<u32>(30u));
    let once = sum_fold(pair_add(sum.one, pair_add(turned, high)));
    return pair_words(prime_add(prime_once(pair_low(once), pair_high(once)), pair_memory(a)));
}

#else

alias Sum = Lanes;

fn sum_zero() -> Sum {
    return lanes_zero();
}

fn sum_product(sum: Sum, a: Lanes, b: Lanes) -> Sum {
    return lanes_add(sum, lanes_mul(a, b));
}

fn sum_settled(sum: Sum) -> Sum {
    return sum;
}

fn sum_added(sum: Sum, a: Lanes) -> Lanes {
    return lanes_add(sum, a);
}

#endif
