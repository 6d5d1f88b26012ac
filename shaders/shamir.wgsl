// Linear combinations of vectors with public weights: shares of a secret, or the secret of shares. One invocation makes
// two elements of one result.

#kernel shamir_combine_m61 M61
#kernel shamir_combine_field64

#import params
#import prime

// One result after the other, each of `params.lower.x` pairs.
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<u32>>;
// The weights, `params.bits` a result, each twice; from pair `params.lower.y` on as many vectors.
@group(0) @binding(2) var<storage, read> terms: array<vec4<u32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    let across = params.lower.x;
    let row = (i / across) * params.bits;
    var at = params.lower.y + i % across;
    var sum = vec4<u32>(0u);
    for (var k = 0u; k < params.bits; k += 1u) {
        sum = prime_add(sum, prime_mul(terms[row + k], terms[at]));
        at += across;
    }
    sums[i] = sum;
}
