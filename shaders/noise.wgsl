// Discrete Laplace noise: one invocation makes one group of eight samples from `params.bits + 1` blocks. The loops
// run over digits and thresholds, whose number is public; no branch and no index depends on the keystream.

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
    let one = pair_splat(vec2<u32>(1u, 0u));
    // From the highest digit on, so that a digit's place is three doublings for each one below it.
    for (var k = params.bits; k > 0u; k -= 1u) {
        let block = chacha_block(first + k);
#for ROW a b c d
        size_ROW = pair_add(size_ROW, size_ROW);
        size_ROW = pair_add(size_ROW, size_ROW);
        size_ROW = pair_add(size_ROW, size_ROW);
#endfor
        for (var j = 0u; j < 7u; j += 1u) {
            let threshold = pair_splat(params.thresholds[7u * (k - 1u) + j].xy);
#for ROW a b c d
            size_ROW = pair_add(size_ROW, pair_select(zero, one, pair_less(pair_words(block.ROW), threshold)));
#endfor
        }
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
