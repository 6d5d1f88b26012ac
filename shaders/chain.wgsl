// A chain of element-wise steps over vectors that stay on the GPU: one invocation takes 64 bytes of each through all
// steps, so nothing between them is in memory. What a step is comes as a small program, the same for all invocations.

#kernel chain_change_u32 U32
#kernel chain_change_u64
#kernel chain_total_u32 U32 TOTAL
#kernel chain_total_u64 TOTAL

#import rounds
#import lanes

struct KeyStream {
    key: array<vec4<u32>, 2>,
    // First block and stream id, each low word first.
    place: vec4<u32>,
}

struct Program {
    // Units of 64 bytes.
    count: u32,
    steps: u32,
    // Words of 32 bits in the vector: what lies behind it in the last unit is no part of a total.
    words: u32,
    unused: u32,
    // Action; source; then the number of a stream, or a constant: low and high word, u32 in both.
    step: array<vec4<u32>, 20>,
    streams: array<KeyStream, 4>,
}

// 64 bytes.
struct Unit {
    a: Lanes,
    b: Lanes,
    c: Lanes,
    d: Lanes,
}

@group(0) @binding(0) var<uniform> program: Program;
// The vector itself; of a total, one of 16 bytes a workgroup.
@group(0) @binding(1) var<storage, read_write> data: array<Lanes>;
#for N,AT 0,2 1,3 2,4 3,5 4,6 5,7
@group(0) @binding(AT) var<storage, read> source_N: array<Lanes>;
#endfor

fn unit_splat(words: vec4<u32>) -> Unit {
    let lanes = lanes_words(words);
    return Unit(lanes, lanes, lanes, lanes);
}

#for NAME add sub mul
fn unit_NAME(x: Unit, y: Unit) -> Unit {
    return Unit(lanes_NAME(x.a, y.a), lanes_NAME(x.b, y.b), lanes_NAME(x.c, y.c), lanes_NAME(x.d, y.d));
}
#endfor

// Unit `i` of what a step asks for.
fn operand(what: vec4<u32>, i: u32) -> Unit {
    var unit: Unit;
    switch what.y {
#for N,CASE 0,0u 1,1u 2,2u 3,3u 4,4u 5,5u
        case CASE: {
            unit = Unit(source_N[4u * i], source_N[4u * i + 1u], source_N[4u * i + 2u], source_N[4u * i + 3u]);
        }
#endfor
        case 6u: {
            let key = program.streams[what.z].key;
            let place = program.streams[what.z].place;
            let block = chacha_rounds(key[0], key[1], place.xy, place.zw, i);
            unit = Unit(lanes_words(block.a), lanes_words(block.b), lanes_words(block.c), lanes_words(block.d));
        }
#ifndef TOTAL
        case 7u: {
            unit = Unit(data[4u * i], data[4u * i + 1u], data[4u * i + 2u], data[4u * i + 3u]);
        }
#endif
        default: {
            unit = unit_splat(what.zwzw);
        }
    }
    return unit;
}

// Unit `i` after all steps.
fn chain(i: u32) -> Unit {
    var x = unit_splat(vec4<u32>(0u));
    var held = x;
    for (var k = 0u; k < program.steps; k += 1u) {
        let what = program.step[k];
        let y = operand(what, i);
        switch what.x {
            case 0u: {
                x = y;
            }
            case 1u: {
                x = unit_add(x, y);
            }
            case 2u: {
                x = unit_sub(x, y);
            }
            case 3u: {
                x = unit_mul(x, y);
            }
            case 4u: {
                x = Unit(x.a ^ y.a, x.b ^ y.b, x.c ^ y.c, x.d ^ y.d);
            }
            case 5u: {
                x = Unit(x.a & y.a, x.b & y.b, x.c & y.c, x.d & y.d);
            }
            case 6u: {
                held = y;
            }
            default: {
                x = unit_add(x, unit_mul(held, y));
            }
        }
    }
    return x;
}

#ifdef TOTAL

var<workgroup> partial: array<Lanes, 64>;

// All bits of the words from `first` on that are in the vector.
fn inside(first: u32) -> Lanes {
    let at = vec4<u32>(first, first + 1u, first + 2u, first + 3u);
    return lanes_words(select(vec4<u32>(0u), vec4<u32>(0xffffffffu), at < vec4<u32>(program.words)));
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
) {
    let i = id.x;
    let me = local.x;
    var total = lanes_zero();
    if (i < program.count) {
        let x = chain(i);
        let first = lanes_add(x.a & inside(16u * i), x.b & inside(16u * i + 4u));
        let second = lanes_add(x.c & inside(16u * i + 8u), x.d & inside(16u * i + 12u));
        total = lanes_add(first, second);
    }
    partial[me] = total;
#for HALF 32u 16u 8u 4u 2u 1u
    workgroupBarrier();
    if (me < HALF) {
        partial[me] = lanes_add(partial[me], partial[me + HALF]);
    }
#endfor
    if (me == 0u) {
        data[group.x] = partial[0];
    }
}

#else

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= program.count) {
        return;
    }
    let x = chain(i);
    data[4u * i] = x.a;
    data[4u * i + 1u] = x.b;
    data[4u * i + 2u] = x.c;
    data[4u * i + 3u] = x.d;
}

#endif
