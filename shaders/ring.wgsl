// Arithmetic modulo 2^32 and 2^64. One invocation takes 128 bits; a sum takes eight times as many.

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

#ifdef ELEMENTWISE

@group(0) @binding(1) var<storage, read_write> acc: array<Lanes>;
@group(0) @binding(2) var<storage, read> other: array<Lanes>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    acc[i] = OPERATION(acc[i], other[i]);
}

#else

@group(0) @binding(1) var<storage, read_write> totals: array<Lanes>;
@group(0) @binding(2) var<storage, read> values: array<Lanes>;

var<workgroup> partial: array<Lanes, 256>;

// One total a workgroup; the host adds those up. Wrapping sums are the same in every order.
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let me = local.x;
    let first = group.x * 2048u + me;
    var total = lanes_zero();
#for OFFSET 0u 256u 512u 768u 1024u 1280u 1536u 1792u
    if (first + OFFSET < params.count) {
        total = lanes_add(total, values[first + OFFSET]);
    }
#endfor
    partial[me] = total;
#for HALF 128u 64u 32u 16u 8u 4u 2u 1u
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
