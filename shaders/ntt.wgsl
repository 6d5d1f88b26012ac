// One pass of the number-theoretic transform of Field64 (Stockham's order): pass `params.bits` reads one buffer and writes
// the other. One invocation takes two pairs of elements that are half a transform apart.

#kernel ntt_pass

#import params
#import prime

@group(0) @binding(1) var<storage, read_write> sums: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> values: array<vec4<u32>>;
// The powers of the root, as many as half a transform.
@group(0) @binding(3) var<storage, read> roots: array<vec4<u32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    // Vectors of half a transform.
    let half = params.upper.x;
    let at = i & (half - 1u);
    let start = 2u * (i - at);
    let a = values[start + at];
    let b = values[start + half + at];
    var sum = prime_add(a, b);
    var product = prime_sub(a, b);
    if (params.bits == params.upper.y) {
        // The last pass: all powers are the zeroth. `lower` is 1, or in an inverse the inverse of the size.
        let scale = params.lower.xyxy;
        sum = prime_mul(sum, scale);
        product = prime_mul(product, scale);
    }
    if (params.bits == 0u) {
        product = prime_mul(product, roots[at]);
        sums[start + 2u * at] = vec4<u32>(sum.xy, product.xy);
        sums[start + 2u * at + 1u] = vec4<u32>(sum.zw, product.zw);
        return;
    }
    // Both elements have the same power: they are next to each other in a run of `2 apart` of one.
    let apart = 1u << (params.bits - 1u);
    let run = at & (apart - 1u);
    product = prime_mul(product, roots[at - run].xyxy);
    sums[start + 2u * at - run] = sum;
    sums[start + 2u * at - run + apart] = product;
}
