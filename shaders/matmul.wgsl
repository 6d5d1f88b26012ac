// Products of matrices, added to what is there. A workgroup has a tile of the sums of 32 rows by 16 vectors, an
// invocation 4 rows by 2 vectors of it, 8 apart, so that neighbours read neighbours. Eight vectors of each row of the
// left matrix are brought into workgroup memory at a time, with the rows of the right one that they meet. Where there
// are few tiles, several workgroups share the inner dimension of each, and `matmul_gather` adds up what they have.

#kernel matmul_u32 U32
#kernel matmul_u64
#kernel matmul_m61 M61
#kernel matmul_gather_u32 GATHER U32
#kernel matmul_gather_u64 GATHER
#kernel matmul_gather_m61 GATHER M61

#import params
#import lanes
#import sums

// Elements of a vector.
#ifdef U32
#define PER 4u
#define PLACES 0u 1u 2u 3u
#define RIGHT 512
#else
#define PER 2u
#define PLACES 0u 1u
#define RIGHT 256
#endif

#ifdef GATHER

#ifdef M61
#define VECTOR vec4<u32>
#define BOTH prime_add
#else
#define VECTOR Lanes
#define BOTH lanes_add
#endif

// As many sums for each share.
@group(0) @binding(1) var<storage, read_write> sums: array<VECTOR>;

// An invocation adds up the `params.bits` shares of a vector.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    var sum = sums[i];
    for (var share = 1u; share < params.bits; share += 1u) {
        sum = BOTH(sum, sums[share * params.count + i]);
    }
    sums[i] = sum;
}

#else

// Rows of `params.lower.x` vectors, `params.upper.y` in all; as many again for each further share.
@group(0) @binding(1) var<storage, read_write> sums: array<Lanes>;
// The left matrix, rows of `params.bits` vectors, of which `params.upper.x` are a share; from vector `params.lower.y` on
// the right one. The host fills all sizes up with zeros to whole tiles and steps.
@group(0) @binding(2) var<storage, read> factors: array<Lanes>;

var<workgroup> left: array<Lanes, 256>;
var<workgroup> right: array<Lanes, RIGHT>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let me = local.x;
    let wide = params.lower.x;
    let across = wide / 16u;
    let tiles = params.upper.y / 512u;
    let share = group.x / tiles;
    let tile = group.x % tiles;
    let top = (tile / across) * 32u;
    let start = (tile % across) * 16u;
    let row = (me / 8u) * 4u;
    let column = me % 8u;
#for R 0 1 2 3
#for V 0 1
    var sum_R_V = sum_zero();
#endfor
#endfor
    let back = min(params.bits, (share + 1u) * params.upper.x);
    for (var front = share * params.upper.x; front < back; front += 8u) {
        for (var at = me; at < 256u; at += 64u) {
            left[at] = factors[(top + at / 8u) * params.bits + front + at % 8u];
        }
        for (var at = me; at < 128u * PER; at += 64u) {
            right[at] = factors[params.lower.y + (front * PER + at / 16u) * wide + start + at % 16u];
        }
        workgroupBarrier();
        for (var k = 0u; k < 8u; k += 1u) {
#for R,AT 0,0u 1,8u 2,16u 3,24u
            let a_R = left[row * 8u + AT + k];
#endfor
#for PLACE PLACES
            {
                let at = (k * PER + PLACE) * 16u + column;
                let b_0 = right[at];
                let b_1 = right[at + 8u];
#for R 0 1 2 3
                let splat_R = lanes_splat(a_R, PLACE);
                sum_R_0 = sum_product(sum_R_0, splat_R, b_0);
                sum_R_1 = sum_product(sum_R_1, splat_R, b_1);
#endfor
            }
#endfor
#for R 0 1 2 3
#for V 0 1
            sum_R_V = sum_settled(sum_R_V);
#endfor
#endfor
        }
        workgroupBarrier();
    }
    let first = share * params.upper.y + (top + row) * wide + start + column;
#for AT,R 0u,0 1u,1 2u,2 3u,3
    sums[first + AT * wide] = sum_added(sum_R_0, sums[first + AT * wide]);
    sums[first + AT * wide + 8u] = sum_added(sum_R_1, sums[first + AT * wide + 8u]);
#endfor
}

#endif
