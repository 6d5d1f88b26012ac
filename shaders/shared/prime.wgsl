// Two elements of a prime field, canonical before and after: modulo 2^61 - 1 where M61 is defined, else modulo
// 2^64 - 2^32 + 1. The same steps as on the CPU, where their bounds are proven.

#import pair

#ifdef M61

fn prime_modulus() -> Pair {
    return pair_splat(vec2<u32>(0xffffffffu, 0x1fffffffu));
}

// `x` below twice the modulus.
fn prime_once(x: Pair) -> Pair {
    let less = pair_sub(x, prime_modulus());
    return pair_select(less, x, pair_less(x, prime_modulus()));
}

fn prime_add(a: Pair, b: Pair) -> Pair {
    return prime_once(pair_add(a, b));
}

fn prime_sub(a: Pair, b: Pair) -> Pair {
    return prime_once(pair_add(a, pair_sub(prime_modulus(), b)));
}

fn prime_mul(a: Pair, b: Pair) -> Pair {
    let zero = vec2<u32>(0u);
    let low = pair_wide(pair_low(a), pair_low(b));
    let cross = pair_add(pair_wide(pair_high(a), pair_low(b)), pair_wide(pair_low(a), pair_high(b)));
    let middle = pair_add(cross, pair(pair_high(low), zero));
    let high = pair_wide(pair_high(a), pair_high(b));
    let above = pair_add(pair_left(high, vec2<u32>(3u)), pair_right(middle, vec2<u32>(29u)));
    let below = pair(pair_low(low), pair_low(middle) & vec2<u32>(0x1fffffffu));
    return prime_once(pair_add(above, below));
}

// The element that any `low + 2^64 high` is.
fn prime_reduce(low: Pair, high: Pair) -> Pair {
    let below = pair_add(low & prime_modulus(), pair_left(high, vec2<u32>(3u)) & prime_modulus());
    let rest = pair_add(pair_right(low, vec2<u32>(61u)), pair_right(high, vec2<u32>(58u)));
    return prime_once(prime_once(pair_add(below, rest)));
}

#else

fn prime_modulus() -> Pair {
    return pair_splat(vec2<u32>(1u, 0xffffffffu));
}

// `a - b`, plus the modulus where that is negative.
fn prime_difference(a: Pair, b: Pair) -> Pair {
    let less = pair_sub(a, b);
    return pair_select(less, pair_add(less, prime_modulus()), pair_less(a, b));
}

fn prime_add(a: Pair, b: Pair) -> Pair {
    return prime_difference(a, pair_sub(prime_modulus(), b));
}

fn prime_sub(a: Pair, b: Pair) -> Pair {
    return prime_difference(a, b);
}

fn prime_mul(a: Pair, b: Pair) -> Pair {
    let zero = vec2<u32>(0u);
    let low = pair_wide(pair_low(a), pair_low(b));
    let first = pair_add(pair_wide(pair_high(a), pair_low(b)), pair(pair_high(low), zero));
    let second = pair_add(pair_wide(pair_low(a), pair_high(b)), pair(pair_low(first), zero));
    let carried = pair_add(pair(pair_high(first), zero), pair(pair_high(second), zero));
    let high = pair_add(pair_wide(pair_high(a), pair_high(b)), carried);
    return prime_reduce(pair(pair_low(low), pair_low(second)), high);
}

// The element that any `low + 2^64 high` is: low - h1 + h0 (2^32 - 1).
fn prime_reduce(low: Pair, high: Pair) -> Pair {
    let zero = vec2<u32>(0u);
    let x = prime_difference(low, pair(pair_high(high), zero));
    let t = pair_sub(pair(zero, pair_low(high)), pair(pair_low(high), zero));
    return prime_difference(x, pair_sub(prime_modulus(), t));
}

#endif
