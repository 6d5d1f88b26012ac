"""Laws that are drawn from a table of thresholds or from trials."""

import math
from fractions import Fraction
from functools import lru_cache

from base import WORD, Misfit, Refused
from chacha import stream_at
from noise import exp_minus

BITS = 320


def floors(weights, tail):
    """Thresholds of a signed table from bounds of the weights of 0, 1, 2, .. and of all that follow; None if unsure."""
    # Twice the weight of each size but 0. P(|X| >= j) rises with what is outside and falls with what is inside.
    sizes = [weights[0]] + [(2 * low, 2 * high) for low, high in weights[1:]] + [(2 * tail[0], 2 * tail[1])]
    thresholds = []
    for j in range(1, len(sizes)):
        inner, outer = sizes[:j], sizes[j:]
        ends = []
        for out, in_ in ((0, 1), (1, 0)):
            above, below = sum(pair[out] for pair in outer), sum(pair[in_] for pair in inner)
            ends.append((above << 63) // (above + below))
        if ends[0] != ends[1]:
            return None
        if ends[0] == 0:
            return thresholds
        thresholds.append(2 * ends[0])
    return None


def gaussian_weights(variance, bits):
    """Bounds of exp(-x^2 / (2 v)) in units of 2^-bits, and of the sum of all that follow."""
    weights, x = [], 0
    while not weights or weights[-1][1] >> (bits - 100):
        exponent = Fraction(x * x) / (2 * variance)
        weights.append(exp_minus(exponent.numerator, exponent.denominator, bits))
        x += 1
    # Where (2 x + 1) / (2 v) >= 1, each is less than half the one before, so all that follow are at most the last.
    assert 2 * x + 1 >= 2 * variance
    return weights, (0, weights[-1][1])


def skellam_weights(mean, bits):
    """Bounds of I_x(m) in units of 2^-bits times a common factor, and of the sum of all that follow."""

    def bessel(x):
        """The series, term by term, until terms fall by half and are nothing; all are positive."""
        half = mean / 2
        low, high = start(x)
        total_low, total_high, i = 0, 0, 0
        while high > 1 or (i + 1) * (i + 1 + x) < 2 * half * half:
            total_low, total_high = total_low + low, total_high + high
            i += 1
            up, down = half.numerator**2, half.denominator**2 * i * (i + x)
            low, high = low * up // down, -(-high * up // down)
        return total_low, total_high + 2 * high

    def start(x):
        """(m / 2)^x / x!"""
        term_low = term_high = 1 << bits
        for i in range(1, x + 1):
            up, down = mean.numerator, 2 * mean.denominator * i
            term_low, term_high = term_low * up // down, -(-term_high * up // down)
        return term_low, term_high

    weights = [bessel(0)]
    while weights[-1][1] << 100 > weights[0][0] or len(weights) < 2 * mean:
        weights.append(bessel(len(weights)))
    # I_(x + 1) / I_x < m / (2 x + 2), here at most a half.
    return weights, (0, weights[-1][1])


@lru_cache(maxsize=None)
def law_of(name, n, d):
    return LAWS[name](n, d)


class Table:
    """Thresholds, weights, and whether an odd word is a negative draw."""

    def __init__(self, thresholds, signed, weights, total_variation):
        self.thresholds, self.signed, self.weights = thresholds, signed, weights
        self.total_variation, self.blocks = total_variation, len(weights)

    def sample(self, words):
        return sum(weight * self.draw(word) for weight, word in zip(self.weights, words))

    def draw(self, word):
        count = sum(threshold > word for threshold in self.thresholds)
        return -count if self.signed and word & 1 else count


class Trials:
    """The centred binomial law."""

    thresholds, weights, total_variation = [], [], 0

    def __init__(self, trials, one):
        if one != 1 or trials % 2 or not 2 <= trials <= 1 << 14:
            raise Refused("Trials", given=trials)
        self.trials, self.blocks = trials, -(-trials // 64)

    def sample(self, words):
        bits = sum(word << (64 * i) for i, word in enumerate(words)) & ((1 << self.trials) - 1)
        return bin(bits).count("1") - self.trials // 2


def folded(weights_of, argument):
    bits = BITS
    while True:
        thresholds = floors(*weights_of(argument, bits))
        if thresholds is not None:
            return thresholds, 2 * -(-(len(thresholds) + 1) // 2)
        bits *= 2


def bernoulli(n, d):
    if d == 0 or n > d:
        raise Refused("Probability", numerator=n, denominator=d)
    return Table([min((n << 64) // d, WORD - 1)], False, [1], 1)


def gaussian(n, d):
    if d == 0 or 8 * n < d or n > d << 40:
        raise Refused("Scale", numerator=n, denominator=d)
    weights, squares = [1], 1
    while n * n > 144 * d * d * squares:
        room = 3 * n * n // (112 * d * d) - squares
        weights.append(min(3 * 4 ** (len(weights) - 1), math.isqrt(room)))
        squares += weights[-1] ** 2
    thresholds, unit = folded(gaussian_weights, Fraction(n * n, d * d * squares))
    return Table(thresholds, True, weights, len(weights) * unit + len(weights) - 1)


def skellam(n, d):
    if d == 0 or 64 * n < d or n > d << 20:
        raise Refused("Variance", numerator=n, denominator=d)
    thresholds, unit = folded(skellam_weights, Fraction(n, d))
    return Table(thresholds, True, [1], unit)


LAWS = {"bernoulli": bernoulli, "binomial": Trials, "gaussian": gaussian, "skellam": skellam}


def fill(law, stream, length):
    stream.check(-(-length // 8) * law.blocks)
    samples = []
    while len(samples) < length:
        words = stream.words(8 * law.blocks)
        samples += [law.sample(words[j::8]) for j in range(8)]
    return samples[:length]


def drawn(vector):
    """drawn.json"""
    name = vector.raw("law")
    if name not in LAWS:
        raise Misfit(f"{vector.place}: {name} is no law that this reading knows")
    law = law_of(name, *vector.raw("parameter"))
    vector.expect_numbers("thresholds", law.thresholds)
    vector.expect_numbers("weights", law.weights)
    vector.expect("total_variation", law.total_variation)
    vector.expect("samples", fill(law, stream_at(vector.inner("at")), len(vector.raw("samples"))))
    for parameter in vector.raw("refused"):
        try:
            LAWS[name](*parameter)
        except Refused:
            continue
        raise Misfit(f"{vector.place}: {parameter} should be refused, and is not by the document")
