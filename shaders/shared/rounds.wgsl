// One block of ChaCha20 (RFC 8439, section 2.3) an invocation: four rows of four words. The rounds are written
// out, since drivers keep loops that come from WGSL.

struct Block {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    d: vec4<u32>,
}

// Block `offset` after `first` of a key's stream; wide numbers are given low word first.
fn chacha_rounds(k0: vec4<u32>, k1: vec4<u32>, first: vec2<u32>, stream: vec2<u32>, offset: u32) -> Block {
    let low = first.x + offset;
    let high = first.y + select(0u, 1u, low < offset);
    let a0 = vec4<u32>(0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u);
    let b0 = k0;
    let c0 = k1;
    let d0 = vec4<u32>(low, high, stream);
    var a = a0;
    var b = b0;
    var c = c0;
    var d = d0;
#for ROUND 1 2 3 4 5 6 7 8 9 10
    // Double round ROUND: columns, then diagonals.
#for LEFT,RIGHT yzwx,wxyz wxyz,yzwx
    a += b;
    d ^= a;
    d = (d << vec4<u32>(16u)) | (d >> vec4<u32>(16u));
    c += d;
    b ^= c;
    b = (b << vec4<u32>(12u)) | (b >> vec4<u32>(20u));
    a += b;
    d ^= a;
    d = (d << vec4<u32>(8u)) | (d >> vec4<u32>(24u));
    c += d;
    b ^= c;
    b = (b << vec4<u32>(7u)) | (b >> vec4<u32>(25u));
    b = b.LEFT;
    c = c.zwxy;
    d = d.RIGHT;
#endfor
#endfor
    return Block(a + a0, b + b0, c + c0, d + d0);
}
