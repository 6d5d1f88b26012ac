"""Rings, masks, additive and replicated shares, matrix products."""

from base import WORD, Misfit, Refused, one_length, sized
from chacha import blocks_of, stream_at
from field import MODULI


def add(acc, other, modulus=WORD):
    one_length(acc, other)
    return [(a + b) % modulus for a, b in zip(acc, other)]


def sub(acc, other, modulus=WORD):
    one_length(acc, other)
    return [(a - b) % modulus for a, b in zip(acc, other)]


def mul(acc, other, modulus=WORD):
    one_length(acc, other)
    return [a * b % modulus for a, b in zip(acc, other)]


def split(secret, streams):
    for stream in streams:
        stream.check(blocks_of(len(secret), 8))
    for stream in streams:
        secret = sub(secret, stream.words(len(secret)))
    return secret


def reconstruct(acc, shares):
    for share in shares:
        acc = add(acc, share)
    return acc


def multiply(x, y, own, next_, length):
    """A party's part of a product of replicated shares; `x` and `y` are pairs of `own` and `next`."""
    for name, part in zip(("x.own", "x.next", "y.own", "y.next"), (*x, *y)):
        sized(name, part, length)
    own.check(blocks_of(length, 8))
    next_.check(blocks_of(length, 8))
    plus, minus = own.words(length), next_.words(length)
    return [
        (x[0][k] * y[0][k] + x[0][k] * y[1][k] + x[1][k] * y[0][k] + plus[k] - minus[k]) % WORD
        for k in range(length)
    ]


def open_pairs(first, second, length):
    for part in (*first, *second):
        one_length([0] * length, part)
    for k, (ours, theirs) in enumerate(zip(first[1], second[0])):
        if ours != theirs:
            raise Refused("Disagree", index=k)
    return reconstruct(first[0], [first[1], second[1]])


def multiply_add(rows, inner, columns, a, b, acc, modulus=WORD):
    sized("a", a, rows * inner)
    sized("b", b, inner * columns)
    sized("acc", acc, rows * columns)
    sums = list(acc)
    for i in range(rows):
        for j in range(columns):
            products = (a[i * inner + k] * b[k * columns + j] for k in range(inner))
            sums[i * columns + j] = (acc[i * columns + j] + sum(products)) % modulus
    return sums


def modulus_of(vector):
    bits = vector.count("bits")
    if bits not in (32, 64):
        raise Misfit(f"{vector.place}: there are no elements of {bits} bits")
    return 1 << bits


def ring(vector):
    """ring.json"""
    modulus = modulus_of(vector)
    a, b = vector.numbers("a", modulus), vector.numbers("b", modulus)
    vector.expect_numbers("add", add(a, b, modulus))
    vector.expect_numbers("sub", sub(a, b, modulus))
    vector.expect_numbers("mul", mul(a, b, modulus))
    vector.expect_number("sum_of_a", sum(a) % modulus)


def mask(vector):
    """mask.json"""
    modulus = modulus_of(vector)
    data = vector.numbers("data", modulus)
    words = stream_at(vector.inner("at")).words(len(data), vector.count("bits") // 8)
    vector.expect_numbers("add", add(data, words, modulus))
    vector.expect_numbers("sub", sub(data, words, modulus))


def share(vector):
    """share.json"""
    secret = vector.numbers("secret")
    # Positions are read twice: `split` and `expand` each move a stream of their own.
    shares = [stream_at(at).words(len(secret)) for at in vector.inners("streams")]
    vector.expect("shares", [[f"{word:x}" for word in words] for words in shares])
    correction = split(secret, [stream_at(at) for at in vector.inners("streams")])
    vector.expect_numbers("correction", correction)
    if reconstruct(correction, shares) != secret:
        raise Misfit(f"{vector.place}: the shares do not add up to the secret")


def replicated(vector):
    """replicated.json"""
    pair = lambda name: [[int(text, 16) for text in part] for part in vector.raw(name)]
    x, y = pair("x"), pair("y")
    own, next_ = [stream_at(at) for at in vector.inners("zero")]
    vector.expect_numbers("product", multiply(x, y, own, next_, len(x[0])))


def multiply_add_batch(shape, count, a, b, acc, modulus=WORD):
    rows, inner, columns = shape
    sized("a", a, rows * inner * count)
    sized("b", b, inner * columns * count)
    sized("acc", acc, rows * columns * count)
    part = lambda matrices, i, size: matrices[i * size : (i + 1) * size]
    sums = []
    for i in range(count):
        of = part(a, i, rows * inner), part(b, i, inner * columns), part(acc, i, rows * columns)
        sums += multiply_add(*shape, *of, modulus)
    return sums


def transpose(rows, columns, source, out):
    sized("from", source, rows * columns)
    sized("to", out, rows * columns)
    return [source[i * columns + j] for j in range(columns) for i in range(rows)]


def batch(vector):
    """batch.json"""
    modulus, count = modulus_of(vector), vector.count("count")
    rows, inner, columns = shape = [vector.count(name) for name in ("rows", "inner", "columns")]
    a, b, acc = [vector.numbers(name, modulus) for name in ("a", "b", "acc")]
    vector.expect_numbers("sums", multiply_add_batch(shape, count, a, b, acc, modulus))
    vector.expect_numbers("transposed", transpose(count * rows, inner, a, a))


def matmul_m61(vector):
    """matmul_m61.json"""
    if vector.count("bits") != 61:
        raise Misfit(f"{vector.place}: this file is of 61 bits")
    product_of(vector, MODULI["M61"])


def matmul(vector):
    """matmul.json"""
    product_of(vector, modulus_of(vector))


def product_of(vector, modulus):
    shape = [vector.count(name) for name in ("rows", "inner", "columns")]
    a, b, acc = [vector.numbers(name, modulus) for name in ("a", "b", "acc")]
    vector.expect_numbers("sums", multiply_add(*shape, a, b, acc, modulus))
