// Discrete Laplace noise: one invocation makes one group of eight samples from `params.bits + 1` blocks. The only
// loop runs over the thresholds, whose number is public; no branch and no index depends on the keystream.

#kernel noise_laplace_fill
#kernel noise_laplace_add ADD

#import chacha
#import pair

@group(0) @binding(1) var<storage, read_write> values: array<Pair>;

// `size` plus one with a sign, or 0, as the head word says.
fn sample(size: Pair, words: vec4<u32>) -> Pair {
    let head = pair_words(words);
    let zero = pair_splat(vec2<u32>(0u));
    let plus = pair_add(size, pair_splat(vec2<u32>(1u, 0u)));
    let negative = (pair_low(head) & vec2<u32>(1u)) == vec2<u32>(1u);
    let signed = pair_select(plus, pair_sub(zero, plus), negative);
    let none = pair_less(pair_right(head, vec2<u32>(1u)), pair_splat(params.lower));
    return pair_select(signed, zero, none);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    let first = i * (params.bits + 1u);
    let zero = pair_splat(vec2<u32>(0u));
#for ROW a b c d
    var size_ROW = zero;
#endfor
    for (var k = 0u; k < params.bits; k += 1u) {
        let block = chacha_block(first + 1u + k);
        let threshold = pair_splat(params.thresholds[k].xy);
        let place = 1u << (k & 31u);
        let bit = pair_splat(select(vec2<u32>(place, 0u), vec2<u32>(0u, place), k >= 32u));
#for ROW a b c d
        size_ROW |= pair_select(zero, bit, pair_less(pair_words(block.ROW), threshold));
#endfor
    }
    let head = chacha_block(first);
#for AT,ROW 0u,a 1u,b 2u,c 3u,d
#ifdef ADD
    values[4u * i + AT] = pair_add(values[4u * i + AT], sample(size_ROW, head.ROW));
#else
    values[4u * i + AT] = sample(size_ROW, head.ROW);
#endif
#endfor
}
