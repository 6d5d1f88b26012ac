"""Noise laws: thresholds by bounds in integers, and samples."""

from functools import lru_cache

from base import WORD, Refused
from chacha import stream_at


def exp_minus(numerator, denominator, bits):
    """Integers `low <= 2^bits exp(-numerator / denominator) <= high`."""
    # By halves until the exponent is at most 1, where the series alternates and falls; then squared again. Guard
    # bits keep what the squarings lose far below the last bit that counts.
    halvings = max(0, (numerator // denominator).bit_length())
    one = 1 << bits
    low = high = 0
    term_low = term_high = one
    k = 0
    while term_high > 1:
        if k % 2 == 0:
            low, high = low + term_low, high + term_high
        else:
            low, high = low - term_high, high - term_low
        k += 1
        below = denominator * k << halvings
        term_low, term_high = term_low * numerator // below, -(-term_high * numerator // below)
    # The rest of an alternating series is within its next term.
    low, high = low - term_high, high + term_high
    for _ in range(halvings):
        low, high = low * low >> bits, -(-high * high >> bits)
    return low, high


class Laplace:
    """Thresholds of a scale."""

    def __init__(self, numerator, denominator):
        if denominator == 0 or 8 * numerator < denominator or numerator > denominator << 40:
            raise Refused("Scale", numerator=numerator, denominator=denominator)
        bits = 320
        while not self.found(numerator, denominator, bits):
            bits *= 2

    def found(self, numerator, denominator, bits):
        """Whether all floors are certain with so many bits."""
        one = 1 << bits
        q = exp_minus(denominator, numerator, bits)
        zeros = {(one - x << 63) // (one + x) for x in q}
        powers = [q]
        while powers[-1][1] > one >> 64:
            if powers[-1][0] <= one >> 64:
                return False
            low, high = powers[-1]
            powers.append((low * low >> bits, -(-high * high >> bits)))
        self.k = len(powers) - 1
        self.digits = []
        for k in range(-(-self.k // 3)):
            m = 1 << min(3, self.k - 3 * k)
            low, high = [digit(t, m, bits) for t in powers[3 * k]]
            if low != high:
                return False
            self.digits.append(low + [0] * (8 - m))
        self.zero = zeros.pop()
        return not zeros

    def total_variation(self):
        return 4 * (self.k // 3) + 3 + (0, 1, 2)[self.k % 3]

    def fill(self, stream, length):
        blocks = 1 + len(self.digits)
        stream.check(-(-length // 8) * blocks)
        samples = []
        while len(samples) < length:
            words = stream.words(8 * blocks)
            for j in range(8):
                size = 1
                for k, thresholds in enumerate(self.digits):
                    word = words[8 * (1 + k) + j]
                    size += sum(threshold > word for threshold in thresholds) << (3 * k)
                zero, odd = words[j] >> 1 < self.zero, words[j] & 1
                samples.append(0 if zero else -size if odd else size)
        return samples[:length]


def digit(t, m, bits):
    """floor(2^64 P(digit >= j)) for j = 1 .. m - 1, where digit d has a weight of t^d, t in units of 2^-bits."""
    weights = [t**d << bits * (m - 1 - d) for d in range(m)]
    return [(sum(weights[j:]) << 64) // sum(weights) for j in range(1, m)]


@lru_cache(maxsize=None)
def laplace_of(numerator, denominator):
    return Laplace(numerator, denominator)


def noise(vector):
    """noise.json"""
    law = laplace_of(vector.count("numerator"), vector.count("denominator"))
    vector.expect_number("zero", law.zero)
    vector.expect_numbers("thresholds", [t for thresholds in law.digits for t in thresholds])
    vector.expect("total_variation", law.total_variation())
    stream = stream_at(vector.inner("at"))
    vector.expect("samples", law.fill(stream, len(vector.raw("samples"))))


def words_of(samples):
    return [sample % WORD for sample in samples]
