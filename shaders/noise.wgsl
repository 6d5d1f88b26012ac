// Noise: one invocation makes one group of eight samples from a run of blocks. The loops run over words and
// thresholds, whose number is public; no branch and no index depends on the keystream.

#kernel noise_laplace_fill LAPLACE
#kernel noise_laplace_add LAPLACE ADD
#kernel noise_table_fill TABLE
#kernel noise_table_add TABLE ADD
#kernel noise_trials_fill
#kernel noise_trials_add ADD

#import chacha
#import pair

@group(0) @binding(1) var<storage, read_write> values: array<Pair>;

#ifdef LAPLACE

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

#else
#ifdef TABLE

// Thresholds, a multiple of four with zeros, below which nothing is; then weights.
#ifdef NATIVE
@group(0) @binding(2) var<storage, read> table: array<u64>;

fn tabled(i: u32) -> Pair {
    return Pair(table[i]);
}
#else
@group(0) @binding(2) var<storage, read> table: array<vec2<u32>>;

fn tabled(i: u32) -> Pair {
    return pair_splat(table[i]);
}
#endif

// `total` and a count times the weight, with the word's sign.
fn drawn(total: Pair, count: vec2<u32>, weight: Pair, words: vec4<u32>) -> Pair {
    let zero = vec2<u32>(0u);
    let size = pair_mul(pair(count, zero), weight);
    let negative = (pair_low(pair_words(words)) & vec2<u32>(params.lower.y)) == vec2<u32>(1u);
    return pair_add(total, pair_select(size, pair_sub(pair_splat(zero), size), negative));
}

#endif
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }

#ifdef LAPLACE
    let first = i * (params.bits + 1u);
    let zero = pair_splat(vec2<u32>(0u));
#for ROW a b c d
    var size_ROW = zero;
#endfor
    // From the highest digit on, so that a digit's place is three bits for each one below it.
    for (var k = params.bits; k > 0u; k -= 1u) {
        let block = chacha_block(first + k);
#for ROW a b c d
        let words_ROW = pair_words(block.ROW);
        var digit_ROW = vec2<u32>(0u);
#endfor
        for (var j = 0u; j < 7u; j += 1u) {
            let threshold = pair_splat(params.thresholds[7u * (k - 1u) + j].xy);
#for ROW a b c d
            digit_ROW += select(vec2<u32>(0u), vec2<u32>(1u), pair_less(words_ROW, threshold));
#endfor
        }
#for ROW a b c d
        size_ROW = pair_left(size_ROW, vec2<u32>(3u)) | pair_whole(digit_ROW);
#endfor
    }
    let head = chacha_block(first);
#for ROW a b c d
    let sample_ROW = sample(size_ROW, head.ROW);
#endfor

#else
    let first = i * params.bits;
#ifdef TABLE
#for ROW a b c d
    var sample_ROW = pair_splat(vec2<u32>(0u));
#endfor
    for (var k = 0u; k < params.bits; k += 1u) {
        let block = chacha_block(first + k);
#for ROW a b c d
        let words_ROW = pair_words(block.ROW);
        var count_ROW = vec2<u32>(0u);
#endfor
        for (var j = 0u; j < params.lower.x; j += 4u) {
#for NAME,AT 0,0u 1,1u 2,2u 3,3u
            let threshold_NAME = tabled(j + AT);
#for ROW a b c d
            count_ROW += select(vec2<u32>(0u), vec2<u32>(1u), pair_less(words_ROW, threshold_NAME));
#endfor
#endfor
        }
        let weight = tabled(params.lower.x + k);
#for ROW a b c d
        sample_ROW = drawn(sample_ROW, count_ROW, weight, block.ROW);
#endfor
    }

#else
#for ROW a b c d
    var ones_ROW = vec2<u32>(0u);
#endfor
    for (var k = 0u; k < params.bits; k += 1u) {
        let block = chacha_block(first + k);
        let trials = select(vec4<u32>(0xffffffffu), params.lower.xyxy, k + 1u == params.bits);
#for ROW a b c d
        let bits_ROW = countOneBits(block.ROW & trials);
        ones_ROW += bits_ROW.xz + bits_ROW.yw;
#endfor
    }
#for ROW a b c d
    let sample_ROW = pair_sub(pair(ones_ROW, vec2<u32>(0u)), pair_splat(params.upper));
#endfor
#endif
#endif

#for AT,ROW 0u,a 1u,b 2u,c 3u,d
#ifdef ADD
    values[4u * i + AT] = pair_add(values[4u * i + AT], sample_ROW);
#else
    values[4u * i + AT] = sample_ROW;
#endif
#endfor
}
