// Bit vectors, and 64x64 transposes. Both modes are the same but for shifts across words.

#kernel bits_xor ZIP OPERATION=^
#kernel bits_and ZIP OPERATION=&
#kernel bits_not NOT
#kernel bits_funnel FUNNEL
#kernel bits_ones ONES
#kernel bits_to_planes
#kernel bits_from_planes FROM

#import params
#import tile

#ifdef ZIP

@group(0) @binding(1) var<storage, read_write> acc: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> other: array<vec4<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let i = tile_first(local, group);
#for K,AT 0,0u 1,64u 2,128u 3,192u
    let acc_K = acc[i + AT];
    let other_K = other[i + AT];
#endfor
#for K,AT 0,0u 1,64u 2,128u 3,192u
    acc[i + AT] = acc_K OPERATION other_K;
#endfor
}

#else
#ifdef NOT

@group(0) @binding(1) var<storage, read_write> words: array<vec4<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let i = tile_first(local, group);
#for K,AT 0,0u 1,64u 2,128u 3,192u
    let words_K = words[i + AT];
#endfor
#for K,AT 0,0u 1,64u 2,128u 3,192u
    words[i + AT] = ~words_K;
#endfor
}

#else
#ifdef FUNNEL

#import pair

@group(0) @binding(1) var<storage, read_write> high: array<Pair>;
@group(0) @binding(2) var<storage, read> low: array<Pair>;

// `params.bits` is 1 to 63.
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let i = tile_first(local, group);
#for K,AT 0,0u 1,64u 2,128u 3,192u
    let high_K = high[i + AT];
    let low_K = low[i + AT];
#endfor
#for K,AT 0,0u 1,64u 2,128u 3,192u
    high[i + AT] = pair_funnel(high_K, low_K, params.bits);
#endfor
}

#else
#ifdef ONES

@group(0) @binding(1) var<storage, read_write> totals: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> words: array<vec4<u32>>;

var<workgroup> partial: array<vec4<u32>, 64>;

// One total a workgroup, of at most 2^17 bits, as the lower word of a u64; the host adds those up. It binds whole tiles
// of 1,024 vectors, zeros behind the last word.
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let me = local.x;
    let first = group.x * 1024u + me;
    var total = vec4<u32>(0u);
#for OFFSET 0u 64u 128u 192u 256u 320u 384u 448u 512u 576u 640u 704u 768u 832u 896u 960u
    total += countOneBits(words[first + OFFSET]);
#endfor
    partial[me] = total;
#for HALF 32u 16u 8u 4u 2u 1u
    workgroupBarrier();
    if (me < HALF) {
        partial[me] += partial[me + HALF];
    }
#endfor
    if (me == 0u) {
        let sum = partial[0];
        totals[group.x] = vec4<u32>(sum.x + sum.y + sum.z + sum.w, 0u, 0u, 0u);
    }
}

#else

#define EIGHT 0,0u 1,1u 2,2u 3,3u 4,4u 5,5u 6,6u 7,7u

// Two integers; a word of a plane, of which there are eight for each of the `params.count` workgroups. Lower halves first.
#ifdef FROM
@group(0) @binding(1) var<storage, read_write> integers: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> planes: array<vec2<u32>>;
#else
@group(0) @binding(1) var<storage, read_write> planes: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> integers: array<vec4<u32>>;
#endif

// Eight words that an invocation has of a block of 64.
struct Words {
#for K 0 1 2 3 4 5 6 7
    word_K: vec2<u32>,
#endfor
}

// Of two words `by` apart, the bits whose place has `by` set change places with those that have not: for all `by` that is a transpose.
struct Two {
    low: vec2<u32>,
    high: vec2<u32>,
}

// The bits that have not are those of `mask`.
fn exchanged(low: vec2<u32>, high: vec2<u32>, by: u32, mask: u32) -> Two {
    let by2 = vec2<u32>(by);
    let mask2 = vec2<u32>(mask);
    return Two((low & mask2) | ((high << by2) & ~mask2), ((low >> by2) & mask2) | (high & ~mask2));
}

fn fours(low: vec2<u32>, high: vec2<u32>) -> Two {
    return exchanged(low, high, 4u, 0x0f0f0f0fu);
}

// By 32: halves change places.
fn halves(low: vec2<u32>, high: vec2<u32>) -> Two {
    return Two(vec2<u32>(low.x, high.x), vec2<u32>(low.y, high.y));
}

// Eight neighbours by 4, 2 and 1; words eight apart by 32, 16 and 8.
#for NAME,FIRST,TWO,MASK,ONE,LAST near,fours,2u,0x33333333u,1u,0x55555555u far,halves,16u,0x0000ffffu,8u,0x00ff00ffu
fn NAME(given: Words) -> Words {
    var words = given;
#for LOW,HIGH 0,4 1,5 2,6 3,7
    let four_LOW = FIRST(words.word_LOW, words.word_HIGH);
    words.word_LOW = four_LOW.low;
    words.word_HIGH = four_LOW.high;
#endfor
#for LOW,HIGH 0,2 1,3 4,6 5,7
    let two_LOW = exchanged(words.word_LOW, words.word_HIGH, TWO, MASK);
    words.word_LOW = two_LOW.low;
    words.word_HIGH = two_LOW.high;
#endfor
#for LOW,HIGH 0,1 2,3 4,5 6,7
    let one_LOW = exchanged(words.word_LOW, words.word_HIGH, ONE, LAST);
    words.word_LOW = one_LOW.low;
    words.word_HIGH = one_LOW.high;
#endfor
    return words;
}
#endfor

// Eight blocks, 74 places apart, of which one is left free after each eight words: neighbours meet few banks twice.
var<workgroup> shown: array<vec2<u32>, 592>;

// A workgroup transposes eight blocks, zeros behind the last integer. Of one block an invocation has first eight neighbours, then
// words that are eight apart, or the other way.
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let me = local.x;
    let integer = 256u * group.x + 4u * me;
    let near_place = 74u * (me >> 3u) + 9u * (me & 7u);
    let across = 8u * params.count;
    let plane = (me >> 3u) * across + 8u * group.x + (me & 7u);
    let far_place = 74u * (me & 7u) + (me >> 3u);
    var words: Words;
#ifdef FROM
#for K,AT EIGHT
    words.word_K = planes[plane + 8u * AT * across];
#endfor
    words = far(words);
#for K,AT EIGHT
    shown[far_place + 9u * AT] = words.word_K;
#endfor
    workgroupBarrier();
#for K,AT EIGHT
    words.word_K = shown[near_place + AT];
#endfor
    words = near(words);
#for AT,K,L 0u,0,1 1u,2,3 2u,4,5 3u,6,7
    integers[integer + AT] = vec4<u32>(words.word_K, words.word_L);
#endfor
#else
#for AT,K,L 0u,0,1 1u,2,3 2u,4,5 3u,6,7
    let both_K = integers[integer + AT];
    words.word_K = both_K.xy;
    words.word_L = both_K.zw;
#endfor
    words = near(words);
#for K,AT EIGHT
    shown[near_place + AT] = words.word_K;
#endfor
    workgroupBarrier();
#for K,AT EIGHT
    words.word_K = shown[far_place + 9u * AT];
#endfor
    words = far(words);
#for K,AT EIGHT
    planes[plane + 8u * AT * across] = words.word_K;
#endfor
#endif
}

#endif
#endif
#endif
#endif
