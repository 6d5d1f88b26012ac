// Arithmetic in the prime fields. One invocation takes four vectors of 128 bits, two elements each; of a power one vector.

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

#import params
#import prime
#import tile

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
