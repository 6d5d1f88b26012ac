// The keystream itself: one invocation writes one block of 64 bytes.

#kernel chacha_keystream

#import chacha

@group(0) @binding(1) var<storage, read_write> words: array<vec4<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    let block = chacha_block(i);
    words[4u * i] = block.a;
    words[4u * i + 1u] = block.b;
    words[4u * i + 2u] = block.c;
    words[4u * i + 3u] = block.d;
}
