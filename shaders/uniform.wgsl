// Uniform elements of the prime fields: one invocation makes eight of two blocks, their low and their high halves. They may be rows of
// `params.bits` times eight, the blocks of each `params.lower.x` after those of the one before.

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
    let row = i / params.bits;
    let first = row * params.lower.x + 2u * (i - row * params.bits);
    let low = chacha_block(first);
    let high = chacha_block(first + 1u);
#for AT,ROW 0u,a 1u,b 2u,c 3u,d
    elements[4u * i + AT] = prime_reduce(low.ROW, high.ROW);
#endfor
}
