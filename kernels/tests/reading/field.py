"""The two prime fields."""

from base import Misfit, Refused, one_length
from chacha import stream_at

MODULI = {"M61": (1 << 61) - 1, "Field64": (1 << 64) - (1 << 32) + 1}


def elements(p, words):
    for index, word in enumerate(words):
        if word >= p:
            raise Refused("NotCanonical", index=index)
    return words


def zipped(p, operation, acc, *others):
    for other in others:
        one_length(acc, other)
    return [operation(*parts) % p for parts in zip(acc, *others)]


def dot(p, a, b):
    one_length(a, b)
    return sum(x * y for x, y in zip(a, b)) % p


def evaluate(p, coefficients, points):
    return [sum(c * pow(x, k, p) for k, c in enumerate(coefficients)) % p for x in points]


def lagrange_weights(p, points, at):
    for first, point in enumerate(points):
        for second in range(first + 1, len(points)):
            if point == points[second]:
                raise Refused("SamePoint", first=first, second=second)
    weights = []
    for j, point in enumerate(points):
        weight = 1
        for m, other in enumerate(points):
            if m != j:
                weight = weight * (at - other) * pow(point - other, p - 2, p) % p
        weights.append(weight)
    return weights


def field(vector):
    """field.json"""
    p = MODULI[vector.raw("name")]
    vector.expect_number("modulus", p)
    a, b = elements(p, vector.numbers("a")), elements(p, vector.numbers("b"))
    vector.expect_numbers("add", zipped(p, lambda x, y: x + y, a, b))
    vector.expect_numbers("sub", zipped(p, lambda x, y: x - y, a, b))
    vector.expect_numbers("mul", zipped(p, lambda x, y: x * y, a, b))
    vector.expect_numbers("neg_of_a", zipped(p, lambda x: -x, a))
    vector.expect_numbers("a_plus_a_times_b", zipped(p, lambda acc, x, y: acc + x * y, a, a, b))
    vector.expect_numbers("inverse_of_a", [pow(x, p - 2, p) for x in a])
    exponent = vector.number("exponent")
    vector.expect_numbers("power_of_a", [pow(x, exponent, p) for x in a])
    vector.expect_number("dot", dot(p, a, b))
    vector.expect_numbers("values", evaluate(p, a[:5], b))
    points, at = elements(p, vector.numbers("points")), vector.number("at", p)
    vector.expect_numbers("lagrange_weights", lagrange_weights(p, points, at))
    try:
        elements(p, vector.numbers("refused"))
    except Refused as refused:
        vector.expect("refused_index", refused.refusal["index"])
    else:
        raise Misfit(f"{vector.place}: the words that should be refused are elements")


def drawn_elements(p, stream, length):
    """Uniform elements."""
    stream.check(2 * -(-length // 8))
    elements_ = []
    while len(elements_) < length:
        words = stream.words(16)
        elements_ += [(words[j] + (words[8 + j] << 64)) % p for j in range(8)]
    return elements_[:length]


def root(log):
    if log > 32:
        raise Refused("NoRoot", log=log)
    p = MODULI["Field64"]
    return pow(7, (p - 1) >> log, p)


def transform(p, values, w):
    n = len(values)
    powers = [pow(w, k, p) for k in range(n)]
    return [sum(x * powers[j * k % n] for j, x in enumerate(values)) % p for k in range(n)]


def uniform(vector):
    """uniform.json"""
    p = MODULI[vector.raw("name")]
    length = len(vector.raw("elements"))
    vector.expect_numbers("elements", drawn_elements(p, stream_at(vector.inner("at")), length))


def ntt(vector):
    """ntt.json"""
    p = MODULI["Field64"]
    values = elements(p, vector.numbers("values"))
    n = len(values)
    w = root(n.bit_length() - 1)
    assert n & (n - 1) == 0 and pow(w, n, p) == 1 and (n == 1 or pow(w, n // 2, p) == p - 1)
    vector.expect_number("root", w)
    vector.expect_numbers("forward", transform(p, values, w))
    by = pow(n, p - 2, p)
    vector.expect_numbers("inverse", [x * by % p for x in transform(p, values, pow(w, p - 2, p))])


def vdaf(vector):
    """vdaf.json"""
    p = MODULI["Field64"]
    vector.raw("source")
    shares = [elements(p, [int(text, 16) for text in share]) for share in vector.raw("shares")]
    sums = [sum(column) % p for column in zip(*shares, strict=True)]
    vector.expect_numbers("sums", sums)
    polynomial = elements(p, vector.numbers("polynomial"))
    if polynomial and evaluate(p, polynomial, [sums[1]]) != [sums[-1]]:
        raise Misfit(f"{vector.place}: the polynomial has another value")
    product = vector.raw("product")
    if product is not None and product != (sums[1] * sums[2] % p == sums[-1]):
        raise Misfit(f"{vector.place}: the product is not as said")
