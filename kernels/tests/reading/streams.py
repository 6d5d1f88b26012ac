"""Calls on one stream: what each consumes."""

import ring
from base import Misfit
from chacha import stream_at
from noise import laplace_of, words_of

CALLS = {
    "chacha::keystream": lambda stream, length: stream.bytes(length),
    "mask::add u32": lambda stream, length: stream.words(length, 4),
    "mask::add u64": lambda stream, length: ring.add([0] * length, stream.words(length)),
    "mask::sub u64": lambda stream, length: ring.sub([0] * length, stream.words(length)),
    "share::expand": lambda stream, length: stream.words(length),
    "noise::laplace_fill 10/1": lambda stream, length: words_of(laplace_of(10, 1).fill(stream, length)),
    "skip": lambda stream, length: [],
}


def stream(vector):
    """stream.json"""
    current = stream_at(vector.inner("at"))
    for inner in vector.inners("calls"):
        call, length = inner.raw("call"), inner.count("length")
        if call not in CALLS:
            raise Misfit(f"{inner.place}: {call} is no call that this reading knows")
        if call == "skip":
            current.check(length)
            current.position += length
        inner.expect_numbers("output", CALLS[call](current, length))
        inner.expect_number("next", current.position)
        inner.whole()
