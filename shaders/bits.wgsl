// Bit vectors, and 64x64 transposes. Both modes are the same but for shifts across words.

#kernel bits_xor ZIP OPERATION=^
#kernel bits_and ZIP OPERATION=&
#kernel bits_not NOT
#kernel bits_funnel FUNNEL
#kernel bits_ones ONES
#kernel bits_transpose

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

// Words as they lie in memory, lower half first.
@group(0) @binding(1) var<storage, read_write> words: array<vec2<u32>>;

var<workgroup> shown: array<vec2<u32>, 512>;

// A workgroup transposes eight blocks of 64 words, in place, zeros behind the last one; an invocation has the same word
// of each. Of two words
// `by` apart, the bits whose place has `by` set change places with those that have not.
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let me = local.x;
    let first = group.x * 512u + me;
#for K,AT 0,0u 1,64u 2,128u 3,192u 4,256u 5,320u 6,384u 7,448u
    var word_K = words[first + AT];
    shown[AT + me] = word_K;
#endfor
    workgroupBarrier();
    let upper = (me & 32u) != 0u;
#for K,AT 0,0u 1,64u 2,128u 3,192u 4,256u 5,320u 6,384u 7,448u
    let other_K = shown[AT + (me ^ 32u)];
    word_K = select(vec2<u32>(word_K.x, other_K.x), vec2<u32>(other_K.y, word_K.y), upper);
#endfor
#for BY,MASK 16u,0x0000ffffu 8u,0x00ff00ffu 4u,0x0f0f0f0fu 2u,0x33333333u 1u,0x55555555u
    workgroupBarrier();
#for K,AT 0,0u 1,64u 2,128u 3,192u 4,256u 5,320u 6,384u 7,448u
    shown[AT + me] = word_K;
#endfor
    workgroupBarrier();
    {
        // Turned so far as to meet the bits that stay; what comes round is not looked at.
        let upper = (me & BY) != 0u;
        let left = vec2<u32>(select(BY, 32u - BY, upper));
        let right = vec2<u32>(32u) - left;
        let keep = vec2<u32>(select(MASK, ~MASK, upper));
#for K,AT 0,0u 1,64u 2,128u 3,192u 4,256u 5,320u 6,384u 7,448u
        let other_K = shown[AT + (me ^ BY)];
        word_K = (word_K & keep) | (((other_K << left) | (other_K >> right)) & ~keep);
#endfor
    }
#endfor
#for K,AT 0,0u 1,64u 2,128u 3,192u 4,256u 5,320u 6,384u 7,448u
    words[first + AT] = word_K;
#endfor
}

#endif
#endif
#endif
#endif
