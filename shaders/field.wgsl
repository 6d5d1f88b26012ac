// Arithmetic in the prime fields. One invocation takes 128 bits, two elements.

#kernel field_add_m61 M61 OPERATION=prime_add
#kernel field_add_field64 OPERATION=prime_add
#kernel field_sub_m61 M61 OPERATION=prime_sub
#kernel field_sub_field64 OPERATION=prime_sub
#kernel field_mul_m61 M61 OPERATION=prime_mul
#kernel field_mul_field64 OPERATION=prime_mul
#kernel field_neg_m61 M61 NEG
#kernel field_neg_field64 NEG
#kernel field_pow_m61 M61 POW
#kernel field_pow_field64 POW

#import params
#import prime

@group(0) @binding(1) var<storage, read_write> acc: array<Pair>;
#ifdef OPERATION
@group(0) @binding(2) var<storage, read> other: array<Pair>;
#endif

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
#ifdef OPERATION
    acc[i] = OPERATION(acc[i], other[i]);
#endif
#ifdef NEG
    acc[i] = prime_sub(pair_splat(vec2<u32>(0u)), acc[i]);
#endif
#ifdef POW
    // From the highest bit of the exponent on, which is public.
    let base = acc[i];
    var power = pair_splat(vec2<u32>(1u, 0u));
    for (var k = params.bits; k > 0u; k -= 1u) {
        power = prime_mul(power, power);
        let word = select(params.lower.x, params.lower.y, k > 32u);
        if (((word >> ((k - 1u) & 31u)) & 1u) == 1u) {
            power = prime_mul(power, base);
        }
    }
    acc[i] = power;
#endif
}
