// Arithmetic modulo 2^32 and 2^64. One invocation takes four vectors of 128 bits, of a sum sixteen.

#kernel ring_add_u32 U32 ELEMENTWISE OPERATION=lanes_add
#kernel ring_add_u64 ELEMENTWISE OPERATION=lanes_add
#kernel ring_sub_u32 U32 ELEMENTWISE OPERATION=lanes_sub
#kernel ring_sub_u64 ELEMENTWISE OPERATION=lanes_sub
#kernel ring_mul_u32 U32 ELEMENTWISE OPERATION=lanes_mul
#kernel ring_mul_u64 ELEMENTWISE OPERATION=lanes_mul
#kernel ring_sum_u32 U32
#kernel ring_sum_u64

#import params
#import lanes
#import tile

#ifdef ELEMENTWISE

@group(0) @binding(1) var<storage, read_write> acc: array<Lanes>;
@group(0) @binding(2) var<storage, read> other: array<Lanes>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let i = tile_first(local, group);
#for K,AT 0,0u 1,64u 2,128u 3,192u
    let acc_K = acc[i + AT];
    let other_K = other[i + AT];
#endfor
#for K,AT 0,0u 1,64u 2,128u 3,192u
    acc[i + AT] = OPERATION(acc_K, other_K);
#endfor
}

#else

@group(0) @binding(1) var<storage, read_write> totals: array<Lanes>;
@group(0) @binding(2) var<storage, read> values: array<Lanes>;

var<workgroup> partial: array<Lanes, 64>;

// One total a workgroup; the host adds those up. It binds whole tiles of 1,024 vectors, zeros behind the last element.
// Wrapping sums are the same in every order.
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let me = local.x;
    let first = group.x * 1024u + me;
    var total = lanes_zero();
#for OFFSET 0u 64u 128u 192u 256u 320u 384u 448u 512u 576u 640u 704u 768u 832u 896u 960u
    total = lanes_add(total, values[first + OFFSET]);
#endfor
    partial[me] = total;
#for HALF 32u 16u 8u 4u 2u 1u
    workgroupBarrier();
    if (me < HALF) {
        partial[me] = lanes_add(partial[me], partial[me + HALF]);
    }
#endfor
    if (me == 0u) {
        totals[group.x] = partial[0];
    }
}

#endif
