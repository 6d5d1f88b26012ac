// Many small products of matrices, and transposes.

#kernel matmul_each_u32 U32 EACH
#kernel matmul_each_u64 EACH
#kernel matmul_each_m61 M61 EACH
#kernel matmul_transpose_u32 TURN ELEMENT=u32
#kernel matmul_transpose_u64 TURN ELEMENT=vec2<u32>

#import params

#ifdef EACH

#import sums

#ifdef U32
#define PER 4u
#else
#define PER 2u
#endif

// For each product `params.upper.x` rows of `params.lower.x` vectors.
@group(0) @binding(1) var<storage, read_write> acc: array<Lanes>;
// The left matrices, as many rows of `params.upper.y` vectors, which hold `params.bits` elements; from vector
// `params.lower.y` on the right ones.
@group(0) @binding(2) var<storage, read> factors: array<Lanes>;

// One invocation sums one vector of a row.
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    let wide = params.lower.x;
    let row = i / wide;
    let product = row / params.upper.x;
    var left = row * params.upper.y;
    var right = params.lower.y + product * params.bits * wide + i % wide;
    var sum = sum_zero();
    for (var k = 0u; k < params.bits; k += PER) {
        let a = factors[left];
        left += 1u;
        for (var place = 0u; place < min(PER, params.bits - k); place += 1u) {
            sum = sum_product(sum, lanes_splat(a, place), factors[right]);
            right += wide;
        }
        sum = sum_settled(sum);
    }
    acc[i] = sum_added(sum, acc[i]);
}

#else

@group(0) @binding(1) var<storage, read_write> target_rows: array<ELEMENT>;
// Rows of `params.bits` elements, columns of `params.lower.x`, both multiples of 32.
@group(0) @binding(2) var<storage, read> source: array<ELEMENT>;

// A row longer than the tile: elements of a column lie in banks of their own.
var<workgroup> tile: array<ELEMENT, 1056>;

// A workgroup turns a tile of 32 by 32, an invocation four elements of a column.
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let x = local.x & 31u;
    let y = local.x >> 5u;
    let across = params.bits / 32u;
    let top = (group.x / across) * 32u;
    let start = (group.x % across) * 32u;
    let origin = (top + y) * params.bits + start + x;
#for K,AT 0,0u 1,8u 2,16u 3,24u
    let element_K = source[origin + AT * params.bits];
#endfor
#for K,AT 0,0u 1,8u 2,16u 3,24u
    tile[(y + AT) * 33u + x] = element_K;
#endfor
    workgroupBarrier();
    let to = (start + y) * params.lower.x + top + x;
#for AT 0u 8u 16u 24u
    target_rows[to + AT * params.lower.x] = tile[x * 33u + y + AT];
#endfor
}

#endif
