"""Fixed point: exact fractions in place of doubles."""

import math
import struct
from fractions import Fraction

from base import WORD, Refused, one_length, signed


def double(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def bits_of(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def check_format(fraction_bits, low, high):
    if not 0 <= fraction_bits <= 30:
        raise Refused("FractionBits", given=fraction_bits, most=30)
    if not -(1 << 51) <= low <= high <= 1 << 51:
        raise Refused("Bounds", min=low, max=high)


def clamps(value, fraction_bits, low, high):
    """What a value that encoding clamps becomes; None for the others."""
    if math.isnan(value) or value == -math.inf:
        return low
    if value == math.inf:
        return high
    exact = Fraction(value) * (1 << fraction_bits)
    return low if exact < low else high if exact > high else None


def encode(values, fraction_bits, low, high, out=None):
    if out is not None:
        one_length(out, values)
    encoded = []
    for value in values:
        clamped = clamps(value, fraction_bits, low, high)
        # Python rounds a fraction to the nearest integer, of two to the even one.
        encoded.append(round(Fraction(value) * (1 << fraction_bits)) if clamped is None else clamped)
    return encoded


def check_bits(bits):
    if not 0 <= bits <= 62:
        raise Refused("FractionBits", given=bits, most=62)


def decode(values, bits, out=None):
    if out is not None:
        one_length(out, values)
    check_bits(bits)
    # Python divides two integers to the nearest double, of two to the even one.
    return [value / (1 << bits) for value in values]


def truncate(share, bits, first):
    check_bits(bits)
    if first:
        return [word >> bits for word in share]
    return [-(-word % WORD >> bits) % WORD for word in share]


def truncate_opened(opened, mask_high, bits, first):
    one_length(opened, mask_high)
    check_bits(bits)
    return [((word >> bits if first else 0) - high) % WORD for word, high in zip(opened, mask_high)]


def fixed(vector):
    """fixed.json"""
    form = [vector.count(name) for name in ("fraction_bits", "min", "max")]
    check_format(*form)
    values = [double(bits) for bits in vector.numbers("values")]
    vector.expect_numbers("encoded", [value % WORD for value in encode(values, *form)])
    clamped = [i for i, value in enumerate(values) if clamps(value, *form) is not None]
    vector.expect("out_of_range", clamped)
    units = [signed(word) for word in vector.numbers("units")]
    vector.expect_numbers("decoded", [bits_of(value) for value in decode(units, form[0])])


def truncation(vector):
    """truncation.json"""
    bits, share, high = vector.count("bits"), vector.numbers("share"), vector.numbers("mask_high")
    vector.expect_numbers("first", truncate(share, bits, True))
    vector.expect_numbers("other", truncate(share, bits, False))
    vector.expect_numbers("opened_first", truncate_opened(share, high, bits, True))
    vector.expect_numbers("opened_other", truncate_opened(share, high, bits, False))
