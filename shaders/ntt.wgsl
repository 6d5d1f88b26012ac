// The number-theoretic transform of Field64 (Stockham's order). Pass `params.bits` does `params.upper.y` of the
// levels, or those that are left; it reads one buffer and writes the other. A transform is a matrix to it, of as
// many rows as so many levels combine, and it transforms the columns: in workgroup memory, as many of them at once as make
// a tile of 1,024 elements, of which an invocation has four.
//
// What is bound are whole transforms, or of one some neighbouring columns from `params.stream.x` on, a power of two of them and a multiple of
// that. `params.stream.y` and `params.upper.x` are the binary logarithms of a transform and of what is bound of it. Results are bound in their
// order, those of columns that go far apart as a row for each result.

#kernel ntt_pass

#import params
#import prime

// Whole tiles, zeros behind the last transform.
@group(0) @binding(1) var<storage, read_write> results: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> values: array<vec2<u32>>;
// Powers of the root: as many as a row of the first pass has elements, from the zeroth on; then those of the root to the power of
// that number, as many as there are rows.
@group(0) @binding(3) var<storage, read> roots: array<vec2<u32>>;

// After each 32 elements one is left free, so that elements of a column lie in banks of their own.
var<workgroup> tile: array<vec2<u32>, 1056>;

fn bank(at: u32) -> u32 {
    return at + (at >> 5u);
}

fn lower_bits(x: u32, bits: u32) -> u32 {
    return x & ((1u << bits) - 1u);
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let me = local.x;
    let all = params.upper.x;
    let most = params.upper.y;
    let whole = params.stream.y;
    // The levels of the passes before and of this one. Of what follows, too, the binary logarithms: columns that are bound of a transform,
    // columns of a tile, elements of a row of the first pass, neighbouring columns whose results are neighbours.
    let before = params.bits * most;
    let levels = min(most, whole - before);
    let columns = all - levels;
    let wide = 10u - levels;
    let row = whole - most;
    let beside = min(before, columns);
    let first = group.x << wide;

    // Neighbours read neighbours: a row, or what the tile has of it.
    let across = min(columns, wide);
#for K,AT 0,0u 1,256u 2,512u 3,768u
    let given_K = me + AT;
    let row_K = lower_bits(given_K >> across, levels);
    let column_K = lower_bits(given_K, across) | ((given_K >> (across + levels)) << across);
    let from_K = first + column_K;
    let value_K = values[((from_K >> columns) << all) | lower_bits(from_K, columns) | (row_K << columns)];
#endfor
#for K 0 1 2 3
    tile[bank((row_K << wide) | column_K)] = value_K;
#endfor

    // In place, two levels at a time, which leaves result `i` of a column where the bits of `i` reversed say. Those of the root to the
    // power that comes next, and how far apart two are that a quarter of a turn lies between.
    let powers = 1u << row;
    let turned = 1u << (most - min(most, 2u));
    let last = levels - 1u;
    var level = 0u;
    var turn = most - levels;
    loop {
        if (level >= last) {
            break;
        }
        workgroupBarrier();
        let quarter = 256u >> level;
        let place = me & (quarter - 1u);
        let left = 4u * (me - place) + place;
#for K,AT 0,0u 1,1u 2,2u 3,3u
        let at_K = bank(left + AT * quarter);
#endfor
        let low = vec4<u32>(tile[at_0], tile[at_1]);
        let high = vec4<u32>(tile[at_2], tile[at_3]);
        let root = powers + ((place >> wide) << turn);
        let there = vec4<u32>(roots[root], roots[root + turned]);
        let sum = prime_add(low, high);
        let product = prime_mul(prime_sub(low, high), there);
        let a = vec4<u32>(sum.xy, product.xy);
        let b = vec4<u32>(sum.zw, product.zw);
        let second = prime_add(a, b);
        var difference = prime_sub(a, b);
        // The powers of the last level are all the zeroth.
        level += 2u;
        if (level <= last) {
            difference = prime_mul(difference, roots[powers + ((place >> wide) << (turn + 1u))].xyxy);
        }
        turn += 2u;
        tile[at_0] = second.xy;
        tile[at_1] = difference.xy;
        tile[at_2] = second.zw;
        tile[at_3] = difference.zw;
    }
    workgroupBarrier();
    if ((levels & 1u) == 1u) {
#for K,AT 0,0u 1,256u
        let place_K = lower_bits(me + AT, wide);
        let left_K = 2u * (me + AT) - place_K;
        let a_K = bank(left_K);
        let b_K = bank(left_K + (1u << wide));
#endfor
        let a = vec4<u32>(tile[a_0], tile[a_1]);
        let b = vec4<u32>(tile[b_0], tile[b_1]);
        let sum = prime_add(a, b);
        let difference = prime_sub(a, b);
        tile[a_0] = sum.xy;
        tile[a_1] = sum.zw;
        tile[b_0] = difference.xy;
        tile[b_1] = difference.zw;
        workgroupBarrier();
    }

    // Neighbours write neighbours: the results of a column go `2^before` apart, with those of as many columns between them.
    let run = min(beside, wide);
#for K,AT 0,0u 1,256u 2,512u 3,768u
    let taken_K = me + AT;
    let result_K = lower_bits(taken_K >> run, levels);
    let of_K = lower_bits(taken_K, run) | ((taken_K >> (run + levels)) << run);
    let reversed_K = (reverseBits(result_K) >> (31u - levels)) >> 1u;
    let left_K = tile[bank((reversed_K << wide) | of_K)];
    let to_K = first + of_K;
    let block_K = lower_bits(to_K, columns) >> beside;
    let within_K = lower_bits(to_K, beside) | (((block_K << levels) | result_K) << beside);
#endfor
#for K,L 0,1 2,3
    // The last pass has no powers: `lower` is 1, or in an inverse the inverse of the size.
    var factor_K = params.lower.xyxy;
    if (whole > before + levels) {
#for N K L
        let power_N = (((params.stream.x >> before) + block_N) * result_N) << before;
        let low_N = roots[lower_bits(power_N, row)];
        let high_N = roots[(1u << row) + (power_N >> row)];
#endfor
        factor_K = prime_mul(vec4<u32>(low_K, low_L), vec4<u32>(high_K, high_L));
    }
    let scaled_K = prime_mul(vec4<u32>(left_K, left_L), factor_K);
    results[((to_K >> columns) << all) | within_K] = scaled_K.xy;
    results[((to_L >> columns) << all) | within_L] = scaled_K.zw;
#endfor
}
