"""Bit vectors, bit planes, and the rounds of sums and comparisons in planes."""

from base import WORD, one_length, sized

ONES = WORD - 1


def to_int(words):
    """The bit vector as one integer."""
    return sum(word << (64 * i) for i, word in enumerate(words))


def to_words(value, count):
    return [value >> (64 * i) & ONES for i in range(count)]


def xor(acc, other):
    one_length(acc, other)
    return [a ^ b for a, b in zip(acc, other)]


def and_(acc, other):
    one_length(acc, other)
    return [a & b for a, b in zip(acc, other)]


def shift_left(words, by, out):
    one_length(out, words)
    return to_words(to_int(words) << by, len(words))


def shift_right(words, by, out):
    one_length(out, words)
    return to_words(to_int(words) >> by, len(words))


def plane_words(values):
    return -(-values // 64)


def to_planes(values, out=None):
    count = plane_words(len(values))
    if out is not None:
        sized("planes", out, 64 * count)
    planes = []
    for j in range(64):
        planes += to_words(sum((value >> j & 1) << i for i, value in enumerate(values)), count)
    return planes


def from_planes(planes, length):
    count = plane_words(length)
    sized("planes", planes, 64 * count)
    bits = [to_int(planes[j * count : (j + 1) * count]) for j in range(64)]
    return [sum((bits[j] >> i & 1) << j for j in range(64)) for i in range(length)]


def begun(a, b, products, plane):
    """Checks what an adder or a comparison begins with; gives the number of planes."""
    one_length(a, b)
    one_length(a, products)
    width = len(a) // plane if plane else len(a)
    sized("each operand", a, width * plane)
    return width


def cut(words, plane):
    return [words[i : i + plane] for i in range(0, len(words), plane)]


def joined(planes):
    return [word for plane in planes for word in plane]


class Adder:
    """The planes of `a + b`, one AND after the other."""

    def __init__(self, a, b, products, plane):
        self.width, self.plane = begun(a, b, products, plane), plane
        self.half, self.g = cut(xor(a, b), plane), cut(products, plane)
        self.p, self.d = list(self.half), 1

    def inputs(self):
        d, w = self.d, self.width
        if d >= w:
            return None
        e = min(2 * d, w)
        left = self.p[d:w] + self.p[e:w]
        right = self.g[0 : w - d] + self.p[d : d + w - e]
        return joined(left), joined(right)

    def apply(self, products):
        inputs = self.inputs()
        sized("the AND's result", products, len(inputs[0]) if inputs else 0)
        if inputs is None:
            return
        d, w = self.d, self.width
        e, parts = min(2 * d, w), cut(products, self.plane)
        for j in range(d, w):
            self.g[j] = xor(self.g[j], parts[j - d])
        self.p[e:w] = parts[w - d :]
        self.d = 2 * d

    def result(self):
        return joined([self.half[0]] + [xor(self.half[j], self.g[j - 1]) for j in range(1, self.width)])


class Carry:
    """The carry out of `x + y`, one AND after the other."""

    def __init__(self, x, y, products, plane):
        self.s, self.plane = begun(x, y, products, plane), plane
        self.p, self.g = cut(xor(x, y), plane), cut(products, plane)

    def inputs(self):
        if self.s <= 1:
            return None
        pairs, passing = self.pairs()
        left = [self.p[l + 1] for l in pairs] + [self.p[l + 1] for l in passing]
        right = [self.g[l] for l in pairs] + [self.p[l] for l in passing]
        return joined(left), joined(right)

    def pairs(self):
        o = self.s % 2
        pairs = list(range(o, self.s - 1, 2))
        return pairs, pairs if o else pairs[1:]

    def apply(self, products):
        inputs = self.inputs()
        sized("the AND's result", products, len(inputs[0]) if inputs else 0)
        if inputs is None:
            return
        o, (pairs, _) = self.s % 2, self.pairs()
        parts = cut(products, self.plane)
        t, u = parts[: len(pairs)], parts[len(pairs) :]
        self.g = self.g[:o] + [xor(self.g[l + 1], part) for l, part in zip(pairs, t)]
        self.p = [[0] * self.plane] + u
        self.s = (self.s + o) // 2

    def result(self):
        return self.g[0]


def bits(vector):
    """bits.json"""
    a, b, by = vector.numbers("a"), vector.numbers("b"), vector.count("by")
    vector.expect_numbers("xor", xor(a, b))
    vector.expect_numbers("and", and_(a, b))
    vector.expect_numbers("not_a", [word ^ ONES for word in a])
    vector.expect("ones_of_a", sum(bin(word).count("1") for word in a))
    vector.expect_numbers("left", shift_left(a, by, a))
    vector.expect_numbers("right", shift_right(a, by, a))
    planes = to_planes(a)
    vector.expect_numbers("planes", planes)
    assert from_planes(planes, len(a)) == a


def adder(vector):
    """adder.json"""
    width = vector.count("width")
    a, b = vector.numbers("a", 1 << width), vector.numbers("b", 1 << width)
    plane = plane_words(len(a))
    of = lambda values: to_planes(values)[: width * plane]
    vector.expect_numbers("planes", of(a))
    x, y = of(a), of(b)
    rounds(vector.inner("sum"), Adder(x, y, and_(x, y), plane))
    x = [word ^ ONES for word in x]
    rounds(vector.inner("less"), Carry(x, y, and_(x, y), plane))
    # What the planes say, by plain arithmetic.
    sums = vector.inner("sum").numbers("planes")
    padded = sums + [0] * ((64 - width) * plane)
    assert from_planes(padded, len(a)) == [(x + y) % (1 << width) for x, y in zip(a, b)]
    less = to_int(vector.inner("less").numbers("planes"))
    assert [less >> i & 1 for i in range(len(a))] == [int(x < y) for x, y in zip(a, b)]


def rounds(vector, protocol):
    for inner in vector.inners("rounds"):
        inputs = protocol.inputs()
        inner.expect_numbers("left", inputs[0] if inputs else [])
        inner.expect_numbers("right", inputs[1] if inputs else [])
        inner.whole()
        protocol.apply(and_(*inputs) if inputs else [])
    assert protocol.inputs() is None, f"{vector.place}: rounds are missing"
    vector.expect_numbers("planes", protocol.result())
    vector.whole()
