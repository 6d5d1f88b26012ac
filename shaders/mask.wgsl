// A vector plus or minus keystream: one invocation expands one block and applies it to 64 bytes, so the mask is
// never in memory.

#kernel mask_add_u32 ADD U32
#kernel mask_add_u64 ADD
#kernel mask_sub_u32 U32
#kernel mask_sub_u64

#import chacha

@group(0) @binding(1) var<storage, read_write> data: array<vec4<u32>>;

// Words in both modes, since a keystream comes as words: a u64 made of two costs more than a carry.
fn masked(data: vec4<u32>, mask: vec4<u32>) -> vec4<u32> {
#ifdef ADD
    let sum = data + mask;
#ifndef U32
    let carry = select(vec2<u32>(0u), vec2<u32>(1u), sum.xz < mask.xz);
    return vec4<u32>(sum.x, sum.y + carry.x, sum.z, sum.w + carry.y);
#else
    return sum;
#endif
#else
    let difference = data - mask;
#ifndef U32
    let borrow = select(vec2<u32>(0u), vec2<u32>(1u), data.xz < mask.xz);
    return vec4<u32>(difference.x, difference.y - borrow.x, difference.z, difference.w - borrow.y);
#else
    return difference;
#endif
#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    let block = chacha_block(i);
#for AT,ROW 0u,a 1u,b 2u,c 3u,d
    data[4u * i + AT] = masked(data[4u * i + AT], block.ROW);
#endfor
}
