//! What each kernel may cost, beside the least that its arithmetic needs.
//!
//! A minimum counts the instructions of the target (AMD's RDNA 2) that the arithmetic takes, of those that WGSL can ask for:
//! a rotation is two, since the compiler never emits `v_alignbit`; a 32-bit product and its upper word are one each, since
//! it never emits `v_mad_u64_u32`; the upper word of a 64-bit integer is one, a shift, since WGSL has no name for it. Where
//! u64 are words a carry is two, a comparison and an addition that takes it, and in limb mode the upper word of a product is
//! eight: four products of 16-bit halves and four additions. A load or store of 128 bits is one half for a u64. Addresses,
//! waits and copies between registers are in no minimum: the limit leaves room for them.

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The whole program.
    Program,
    /// The innermost loop, the longest if there are several.
    Loop,
}

/// How much a kernel may cost.
#[derive(Debug, Clone, Copy)]
pub enum Most {
    /// So many times the minimum.
    Times(f64),
    /// So many instructions a unit.
    Instructions(f64),
}

/// The limit of one kernel. Pairs are for limb and native mode.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Its name in the table of shaders.
    pub kernel: &'static str,
    /// What is counted.
    pub counted: Counted,
    /// How many units that is.
    pub units: u32,
    /// What a unit is.
    pub unit: &'static str,
    /// The least number of instructions a unit.
    pub minimum: [f64; 2],
    /// The most.
    pub most: [Most; 2],
    /// Whether all memory is reached by 128 bits at a time.
    pub wide: bool,
}

/// A kernel that computes stays this close to its minimum.
const CLOSE: [Most; 2] = [Most::Times(1.25); 2];
/// A kernel that streams takes no more than this for a u64 in all.
const STREAM: [Most; 2] = [Most::Instructions(12.0); 2];

/// What a transpose takes to find its places.
const PLACES: [Most; 2] = [Most::Instructions(23.0); 2];

/// A kernel whose invocations take a tile's four vectors.
const fn tile(kernel: &'static str, minimum: [f64; 2], most: [Most; 2]) -> Limit {
    Limit { kernel, counted: Counted::Program, units: 8, unit: "u64", minimum, most, wide: true }
}

/// A total, whose invocations take sixteen vectors.
const fn total(kernel: &'static str, minimum: [f64; 2]) -> Limit {
    Limit { units: 32, ..tile(kernel, minimum, STREAM) }
}

/// A kernel that makes a block of keystream.
const fn block(kernel: &'static str, minimum: f64, most: f64) -> Limit {
    Limit { units: 1, unit: "block", ..tile(kernel, [minimum; 2], [Most::Instructions(most); 2]) }
}

/// A chain's interpreter, which holds a block.
const fn chain(kernel: &'static str, minimum: [f64; 2], native: f64) -> Limit {
    Limit { units: 1, unit: "block", ..tile(kernel, minimum, [CLOSE[0], Most::Times(native)]) }
}

/// A kernel whose inner loop is counted.
const fn inner(kernel: &'static str, units: u32, unit: &'static str, minimum: [f64; 2]) -> Limit {
    Limit { counted: Counted::Loop, units, unit, ..tile(kernel, minimum, CLOSE) }
}

/// A loop that fetches a vector for each turn.
const fn turn(kernel: &'static str, units: u32, minimum: [f64; 2], most: [f64; 2]) -> Limit {
    let most = [Most::Instructions(most[0]), Most::Instructions(most[1])];
    Limit { most, ..inner(kernel, units, "product", minimum) }
}

/// A kernel that compares eight samples with four thresholds each turn.
const fn threshold(kernel: &'static str) -> Limit {
    inner(kernel, 32, "threshold of a sample", [6.0, 2.0])
}

/// A kernel that makes eight elements of two blocks.
const fn element(kernel: &'static str, minimum: f64) -> Limit {
    tile(kernel, [minimum; 2], CLOSE)
}

/// Every limit. A kernel that has none fails the check.
pub const LIMITS: &[Limit] = &[
    // Two loads and a store: 1.5. u32: two operations for 64 bits. u64: an addition of each word, the upper one with the
    // carry; in words two more.
    tile("ring_add_u32", [3.5, 3.5], STREAM),
    tile("ring_sub_u32", [3.5, 3.5], STREAM),
    tile("ring_mul_u32", [3.5, 3.5], STREAM),
    tile("ring_add_u64", [5.5, 3.5], STREAM),
    tile("ring_sub_u64", [5.5, 3.5], STREAM),
    // The product of lower words and its upper word, two cross products, one addition of three: 5. In limb mode the upper
    // word makes that 12, more than 12 with what comes from memory.
    tile("ring_mul_u64", [13.5, 6.5], [CLOSE[0], STREAM[1]]),
    // Half a load, and the addition.
    total("ring_sum_u32", [2.5, 2.5]),
    total("ring_sum_u64", [4.5, 2.5]),
    // 80 quarter rounds of four additions, xors and rotations of two, and 16 additions of the start: 1,296. Four stores.
    block("chacha_keystream", 1300.0, 1340.0),
    // Four loads more, and 16 additions of words or 8 of u64 in words: a keystream comes as words. A block, and 12 for
    // each u64.
    block("mask_add_u32", 1320.0, 1436.0),
    block("mask_sub_u32", 1320.0, 1436.0),
    block("mask_add_u64", 1336.0, 1436.0),
    block("mask_sub_u64", 1336.0, 1436.0),
    tile("bits_xor", [3.5, 3.5], STREAM),
    tile("bits_and", [3.5, 3.5], STREAM),
    tile("bits_not", [3.0, 3.0], STREAM),
    // Two shifts and an or, of 64 bits. In words three selections, and twice three shifts of which one takes the or along.
    tile("bits_funnel", [10.5, 5.5], [Most::Instructions(14.0), STREAM[1]]),
    // A count takes the sum so far with it.
    total("bits_ones", [2.5, 2.5]),
    // A load and a store, of integers by 128 bits and of planes by 64: 1.5; to workgroup memory and from there, 2. Of six exchanges, that of
    // 32 bits is no instruction, of 16 bits two for each half, a mask and what shifts and joins, of fewer three, one mask more: 4 + 4 * 6.
    Limit { wide: false, ..tile("bits_to_planes", [31.5, 31.5], CLOSE) },
    Limit { wide: false, ..tile("bits_from_planes", [31.5, 31.5], CLOSE) },
    // The sum: lower words, carry, upper words, 4; its lower word and one, with the carry of that, 3; one comparison; of each
    // word one selection, and one subtraction: 11.
    tile("field_add_m61", [12.5, 12.5], CLOSE),
    // The difference, 4; whether it is below zero; one less there: 1, and 3 with the borrow; the mask.
    tile("field_sub_m61", [11.5, 11.5], CLOSE),
    tile("field_neg_m61", [11.0, 11.0], CLOSE),
    // Lower words, carry, what is added to the upper word, the upper word, 4; is that over, 5; less the modulus, 3.
    tile("field_add_field64", [13.5, 13.5], CLOSE),
    // Lower words, borrow, what is taken from the upper word, the upper word, 4; is that below zero; plus the modulus, 4.
    tile("field_sub_field64", [10.5, 10.5], CLOSE),
    tile("field_neg_field64", [10.0, 10.0], CLOSE),
    // Native: four products of two, 8; their middle, 2 and 1 + 2; two shifts and two sums, 2 + 2 + 2; the upper word, its
    // mask and sum, 3; the remainder, 7. Limb: products 4 * 9; the middle, 4 + 3; shifts of 64 bits, 3 + 3; sums, 4 + 3; mask
    // and sum, 2; the remainder, 7.
    tile("field_mul_m61", [66.5, 30.5], CLOSE),
    // Native: products, 8; three sums of u64 with upper words, 1 + 2 and 2 and 1 + 2 + 1 + 2; the upper word of that, 1; the
    // low words less h1, 3, is that below zero, 1, plus the modulus, 4; then 3 with what comes to the upper word, that,
    // the lower word, 2, is that below zero, 1, plus the modulus, 4. Limb: products 4 * 9, sums 3 + 3 + 6, and the same 18.
    tile("field_mul_field64", [67.5, 39.5], CLOSE),
    // A product, a sum, and half a load more.
    tile("field_mul_add_m61", [78.0, 42.0], CLOSE),
    tile("field_mul_add_field64", [80.0, 52.0], CLOSE),
    // A product, a sum, and a load of each factor.
    inner("field_dot_m61", 8, "product", [77.0, 41.0]),
    inner("field_dot_field64", 8, "product", [79.0, 51.0]),
    // A product and a sum: the coefficient is the same for all.
    inner("field_evaluate_m61", 4, "coefficient of a point", [76.0, 40.0]),
    inner("field_evaluate_field64", 4, "coefficient of a point", [78.0, 50.0]),
    // Two levels of four elements: four sums, 48; four differences, 36; four products; all come from workgroup memory and go back
    // there, 8, and three roots come from memory.
    Limit { wide: false, ..inner("ntt_pass", 8, "level of an element", [44.9, 30.9]) },
    // A square and a product of two elements: a bit of the exponent that is set.
    Limit { most: [Most::Times(1.3); 2], ..inner("field_pow_m61", 4, "product", [65.0, 29.0]) },
    inner("field_pow_field64", 4, "product", [66.0, 38.0]),
    // A load and a store, 1. Exponent and significand, 4; how far it goes right, 2; that shift, the one back and the comparison
    // with what was, 3; whether odd, 2, or either, 1; the sum and the last shift, 3; too large a number, 3; no number, 2, or
    // below zero, 2; its negative, 4; two bounds of 3 each: 32. In words one less for the exponent; 8 more for the shift, 4 for what
    // is lost, 2 for each of two shifts by one, 4 for each of three comparisons, 2 for carries: 61. By integers alone, since
    // few GPUs have f64 and none must be trusted to round it: so never the 12 of a kernel that streams.
    tile("fixed_encode", [62.0, 33.0], [CLOSE[0], Most::Instructions(49.0)]),
    // A load and a store, 1. The sign, 1; the size, 5; its upper word, 1; the word that leads, 2, its zeros, 4, and 32 more, 2; two
    // shifts, 3; the bits that round, 4; the exponent and its place, 2; two sums, 4; zero and sign, 4: 32. In words one less for
    // the upper word; 8 and 2 more for the shifts, 2 for the borrow: 43.
    tile("fixed_decode", [44.0, 33.0], CLOSE),
    // A load and a store, 1. An xor and a subtraction before and after, 8, and a shift. In words two more for each borrow, and
    // six for the shift.
    tile("fixed_truncate", [20.0, 10.0], [CLOSE[0], Most::Instructions(14.0)]),
    // Two loads and a store, 1.5. A shift, what is kept, 2, and a subtraction, 2. In words six more for the shift, and two for the borrow.
    tile("fixed_truncate_opened", [14.5, 6.5], [CLOSE[0], STREAM[1]]),
    // Two blocks make eight elements: a quarter of 1,296 for each, less 2 of what both blocks share before their counters come in,
    // half a store, and the remainder: of a product 18; else 26 with shifts, masks, three carries and what is over twice.
    element("field_uniform_m61", 348.5),
    element("field_uniform_field64", 340.5),
    // A term of an invocation's two elements: its product, its sum, and two loads of a vector.
    inner("shamir_combine_m61", 2, "term", [77.0, 41.0]),
    inner("shamir_combine_field64", 2, "term", [79.0, 51.0]),
    // A step of an invocation is 32 products: five instructions, or 12, and an addition of u64; to read workgroup memory is a
    // quarter.
    inner("matmul_u64", 32, "product", [16.25, 7.25]),
    // 128 of them: a product, and half of an addition of three.
    inner("matmul_u32", 128, "product", [1.6, 1.6]),
    // Four products of words and four sums of u64, 16; to take factors of two parts apart, 1.75; and for each second product two
    // sums are folded, a mask, a shift and a sum of u64 each: 4.5. Limb: 36 and 16 and 1.75, and 5.
    inner("matmul_m61", 32, "product", [59.0, 22.5]),
    // Half a load, and a sum. As below a turn is one vector, which it waits for.
    Limit { most: STREAM, ..inner("matmul_gather_u32", 2, "u64", [2.5, 2.5]) },
    Limit { most: STREAM, ..inner("matmul_gather_u64", 2, "u64", [4.5, 2.5]) },
    Limit { most: [Most::Instructions(18.0); 2], ..inner("matmul_gather_m61", 2, "u64", [11.5, 11.5]) },
    // A turn is one vector of the right matrix, which it waits for, and no product is small beside that.
    turn("matmul_each_u32", 4, [1.75, 1.75], [7.5, 7.5]),
    turn("matmul_each_u64", 2, [16.5, 7.5], [25.0, 17.0]),
    turn("matmul_each_m61", 2, [59.0, 20.5], [70.0, 36.0]),
    // To memory and to workgroup memory, there and back. All else are the four places of an invocation.
    Limit { units: 4, unit: "element", wide: false, ..tile("matmul_transpose_u32", [4.0; 2], PLACES) },
    Limit { units: 4, unit: "element", wide: false, ..tile("matmul_transpose_u64", [4.0; 2], PLACES) },
    // A digit of one of the eight samples of a block: an eighth of 1,296; seven comparisons, each with the addition that counts it;
    // and the digit's place, 2. A comparison of u64 in words is five, and the place four.
    inner("noise_laplace_fill", 8, "digit of a sample", [208.0, 178.0]),
    inner("noise_laplace_add", 8, "digit of a sample", [208.0, 178.0]),
    // A threshold and one of the eight samples of a block: the comparison, and the addition that counts it.
    threshold("noise_table_fill"),
    threshold("noise_table_add"),
    // A word of one of the eight samples of a block: an eighth of 1,296; which bits count, and counting them, of both halves.
    inner("noise_trials_fill", 8, "word of a sample", [166.0, 166.0]),
    inner("noise_trials_add", 8, "word of a sample", [166.0, 166.0]),
    // The whole text of an interpreter, which no chain runs through once. A block of keystream, 1,296; 24 loads of six sources.
    // Sum, difference, product, xor, and, and a product with its sum, of 16 words: 112. Of u64 in words of 8, with carries and
    // upper words as above: 16 + 16 + 40 + 16 + 16 + 56 = 160, and in limb mode 32 + 32 + 96 + 16 + 16 + 128 = 320. The vector itself
    // comes and goes: 8. Zeros, constants, what is taken and what is held are copies, 16 of each: room for them is in the
    // limit, but the neighbouring registers that a u64 must have make it a little narrow.
    chain("chain_change_u32", [1440.0, 1440.0], 1.25),
    chain("chain_change_u64", [1648.0, 1488.0], 1.35),
    // Instead of the vector: which words are in it, 32; three sums of four words, 12 or 24; a write, six halvings of a read, a
    // sum and a write, 37 or 61, a read and a store.
    chain("chain_total_u32", [1515.0, 1515.0], 1.25),
    chain("chain_total_u64", [1759.0, 1563.0], 1.35),
];
