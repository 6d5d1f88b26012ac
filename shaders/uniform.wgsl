// Uniform elements of the prime fields: one invocation makes eight of two blocks, their low and their high halves.

#kernel field_uniform_m61 M61
#kernel field_uniform_field64

#import chacha
#import prime

@group(0) @binding(1) var<storage, read_write> elements: array<vec4<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    let low = chacha_block(2u * i);
    let high = chacha_block(2u * i + 1u);
#for AT,ROW 0u,a 1u,b 2u,c 3u,d
    elements[4u * i + AT] = prime_reduce(low.ROW, high.ROW);
#endfor
}
