// 128 bits of ring elements: four of Z/2^32 where U32 is defined, else two of Z/2^64.

#ifdef U32

alias Lanes = vec4<u32>;

fn lanes_add(a: Lanes, b: Lanes) -> Lanes {
    return a + b;
}

fn lanes_sub(a: Lanes, b: Lanes) -> Lanes {
    return a - b;
}

fn lanes_mul(a: Lanes, b: Lanes) -> Lanes {
    return a * b;
}

fn lanes_words(words: vec4<u32>) -> Lanes {
    return words;
}

fn lanes_zero() -> Lanes {
    return vec4<u32>(0u);
}

// Every element the one at `place`, 0 to 3.
fn lanes_splat(a: Lanes, place: u32) -> Lanes {
    return vec4<u32>(a[place]);
}

#else

#import pair

alias Lanes = Pair;

fn lanes_add(a: Lanes, b: Lanes) -> Lanes {
    return pair_add(a, b);
}

fn lanes_sub(a: Lanes, b: Lanes) -> Lanes {
    return pair_sub(a, b);
}

fn lanes_mul(a: Lanes, b: Lanes) -> Lanes {
    return pair_mul(a, b);
}

fn lanes_words(words: vec4<u32>) -> Lanes {
    return pair_words(words);
}

fn lanes_zero() -> Lanes {
    return pair_splat(vec2<u32>(0u));
}

// Both elements the one at `place`, 0 or 1.
fn lanes_splat(a: Lanes, place: u32) -> Lanes {
#ifdef NATIVE
    return Lanes(a[place]);
#else
    return pair_splat(vec2<u32>(pair_low(a)[place], pair_high(a)[place]));
#endif
}

#endif
