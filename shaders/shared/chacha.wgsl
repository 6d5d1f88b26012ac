// The keystream of the parameters' key.

#import params
#import rounds

// Block `offset` after the first one of this dispatch.
fn chacha_block(offset: u32) -> Block {
    return chacha_rounds(params.key[0], params.key[1], params.block, params.stream, offset);
}
