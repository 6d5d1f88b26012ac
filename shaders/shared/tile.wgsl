// A tile is what a workgroup of 64 takes: 256 vectors of 128 bits, of which an invocation has four, 64 apart, so that
// neighbours read neighbours. The host binds whole tiles, so no index is tested. A kernel reads all of its vectors before it
// writes one: a compiler must not move a read above a write that could be to the same place.

// The first vector of an invocation.
fn tile_first(local: vec3<u32>, group: vec3<u32>) -> u32 {
    return group.x * 256u + local.x;
}
