// Arithmetic in the prime fields. One invocation takes four vectors of 128 bits, two elements each; of a power one
// vector, of a polynomial two, of a product of vectors sixteen.

#kernel field_add_m61 M61 OPERATION=prime_add
#kernel field_add_field64 OPERATION=prime_add
#kernel field_sub_m61 M61 OPERATION=prime_sub
#kernel field_sub_field64 OPERATION=prime_sub
#kernel field_mul_m61 M61 OPERATION=prime_mul
#kernel field_mul_field64 OPERATION=prime_mul
#kernel field_mul_add_m61 M61 MULADD
#kernel field_mul_add_field64 MULADD
#kernel field_neg_m61 M61 NEG
#kernel field_neg_field64 NEG
#kernel field_pow_m61 M61 POW
#kernel field_pow_field64 POW
#kernel field_dot_m61 M61 DOT
#kernel field_dot_field64 DOT
#kernel field_evaluate_m61 M61 EVALUATE
#kernel field_evaluate_field64 EVALUATE

#import params
#import prime
#import tile

#ifdef DOT

@group(0) @binding(1) var<storage, read_write> totals: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<u32>>;

var<workgroup> partial: array<vec4<u32>, 64>;

// One total a workgroup, of two elements; the host adds those up. It binds whole tiles of 1,024 vectors, zeros behind the last element.
// `params.bits` is 4: a compiler that does not know it keeps the loop.
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let me = local.x;
    var at = group.x * 1024u + me;
    var total = vec4<u32>(0u);
    for (var turn = 0u; turn < params.bits; turn += 1u) {
#for K,AT 0,0u 1,64u 2,128u 3,192u
        let a_K = a[at + AT];
        let b_K = b[at + AT];
#endfor
#for K 0 1 2 3
        total = prime_add(total, prime_mul(a_K, b_K));
#endfor
        at += 256u;
    }
    partial[me] = total;
#for HALF 32u 16u 8u 4u 2u 1u
    workgroupBarrier();
    if (me < HALF) {
        partial[me] = prime_add(partial[me], partial[me + HALF]);
    }
#endfor
    if (me == 0u) {
        totals[group.x] = partial[0];
    }
}

#else
#ifdef EVALUATE

// What the polynomial of the higher coefficients makes of the points, where `params.lower.x` says that there are some.
@group(0) @binding(1) var<storage, read_write> values: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> points: array<vec4<u32>>;
// `params.bits` of them, the lowest first.
@group(0) @binding(3) var<storage, read> coefficients: array<vec2<u32>>;

// Horner's rule.
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
#for K,AT 0,0u 1,1u
    let point_K = points[2u * i + AT];
    var value_K = vec4<u32>(0u);
#endfor
    if (params.lower.x != 0u) {
#for K,AT 0,0u 1,1u
        value_K = values[2u * i + AT];
#endfor
    }
    for (var k = params.bits; k > 0u; k -= 1u) {
        let coefficient = coefficients[k - 1u].xyxy;
#for K 0 1
        value_K = prime_add(prime_mul(value_K, point_K), coefficient);
#endfor
    }
#for K,AT 0,0u 1,1u
    values[2u * i + AT] = value_K;
#endfor
}

#else

@group(0) @binding(1) var<storage, read_write> acc: array<vec4<u32>>;
#ifdef OPERATION
@group(0) @binding(2) var<storage, read> other: array<vec4<u32>>;
#endif
#ifdef MULADD
@group(0) @binding(2) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<u32>>;
#endif

#ifdef POW

// From the highest bit of the exponent on, which is public.
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    let base = acc[i];
    var power = vec4<u32>(1u, 0u, 1u, 0u);
    for (var k = params.bits; k > 0u; k -= 1u) {
        power = prime_mul(power, power);
        let word = select(params.lower.x, params.lower.y, k > 32u);
        if (((word >> ((k - 1u) & 31u)) & 1u) == 1u) {
            power = prime_mul(power, base);
        }
    }
    acc[i] = power;
}

#else

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let i = tile_first(local, group);
#for K,AT 0,0u 1,64u 2,128u 3,192u
    let acc_K = acc[i + AT];
#ifdef OPERATION
    let other_K = other[i + AT];
#endif
#ifdef MULADD
    let a_K = a[i + AT];
    let b_K = b[i + AT];
#endif
#endfor
#for K,AT 0,0u 1,64u 2,128u 3,192u
#ifdef OPERATION
    acc[i + AT] = OPERATION(acc_K, other_K);
#endif
#ifdef MULADD
    acc[i + AT] = prime_add(acc_K, prime_mul(a_K, b_K));
#endif
#ifdef NEG
    acc[i + AT] = prime_sub(vec4<u32>(0u), acc_K);
#endif
#endfor
}

#endif
#endif
#endif
