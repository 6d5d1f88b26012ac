// A vector plus or minus keystream: one invocation expands one block and applies it to 64 bytes, so the mask is
// never in memory.

#kernel mask_add_u32 U32 OPERATION=lanes_add
#kernel mask_add_u64 OPERATION=lanes_add
#kernel mask_sub_u32 U32 OPERATION=lanes_sub
#kernel mask_sub_u64 OPERATION=lanes_sub

#import chacha
#import lanes

@group(0) @binding(1) var<storage, read_write> data: array<Lanes>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.count) {
        return;
    }
    let block = chacha_block(i);
#for AT,ROW 0u,a 1u,b 2u,c 3u,d
    data[4u * i + AT] = OPERATION(data[4u * i + AT], lanes_words(block.ROW));
#endfor
}
