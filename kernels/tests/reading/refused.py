"""What must be refused, and how."""

import field
import fixed
import noise
import planes
import ring
import shamir
import tables
from base import Misfit, Refused, one_length, sized
from chacha import Stream

KEY = bytes(32)


class Given:
    """The arguments of a case; every one must be used."""

    def __init__(self, given):
        self.given, self.unused = given, set(given)

    def raw(self, name):
        if name not in self.given:
            raise Misfit(f"{name} is missing in what is given")
        self.unused.discard(name)
        return self.given[name]

    def zeros(self, name):
        return [0] * self.raw(name)

    def words(self, name):
        return [int(text, 16) for text in self.raw(name)]

    def stream(self, name="position"):
        return Stream(KEY, 0, int(self.raw(name), 16))

    def modulus(self):
        return field.MODULI[self.raw("field")]


def pair(g, name):
    return g.zeros(name + ".own"), g.zeros(name + ".next")


def given_pair(g, name):
    return g.words(name + ".own"), g.words(name + ".next")


def element_wise(g):
    one_length(g.zeros("acc"), g.zeros("other"))


def field_wise(g):
    g.modulus()
    element_wise(g)


def on_planes(protocol):
    return lambda g: protocol(g.zeros("a"), g.zeros("b"), g.zeros("products"), g.raw("plane"))


def applied(protocol):
    def run(g):
        count = g.raw("width") * g.raw("plane")
        zeros = [0] * count
        begun = protocol(zeros, zeros, zeros, g.raw("plane"))
        for _ in range(g.raw("rounds")):
            begun.apply([0] * len(begun.inputs()[0]))
        begun.apply(g.zeros("products"))

    return run


def decoding(g):
    units = g.zeros("values")
    fixed.decode(units, g.raw("bits"), g.zeros("out"))


def laplace(g):
    law = noise.laplace_of(g.raw("numerator"), g.raw("denominator"))
    law.fill(g.stream(), g.raw("values"))


def scheme(g):
    return shamir.Scheme(g.modulus(), g.raw("parties"), g.raw("threshold"))


def splitting(g):
    chosen, secret, shares, stream = scheme(g), g.zeros("secret"), g.zeros("shares"), g.stream()
    sized("shares", shares, len(secret) * chosen.parties)
    chosen.split(secret, stream)


def shares_of(g):
    chosen, parties = scheme(g), g.raw("from")
    if "lost" in g.given:
        chosen.check([g.raw("lost")] + [x for x in range(1, chosen.parties + 1) if x != g.raw("lost")])
    chosen.check(parties)


def transforming(g):
    count, size = g.raw("values"), 1 << g.raw("log")
    sized("values", [0] * count, -(-count // size) * size)


def batch(g):
    shape = [g.raw(name) for name in ("rows", "inner", "columns")]
    ring.multiply_add_batch(shape, g.raw("count"), g.zeros("a"), g.zeros("b"), g.zeros("acc"))


def transposing(g):
    ring.transpose(g.raw("rows"), g.raw("columns"), g.zeros("from"), g.zeros("to"))


def drawing(name, n, d):
    return lambda g: tables.fill(tables.law_of(name, n, d), g.stream(), g.raw("values"))


def law(name):
    return lambda g: tables.LAWS[name](g.raw("numerator"), g.raw("denominator"))


def of_field(function):
    return lambda g: function(g.modulus(), g)


def masked(size):
    return lambda g: g.stream().words(g.raw("data"), size)


CALLS = {
    "ring::add": element_wise,
    "ring::sub": element_wise,
    "ring::mul": element_wise,
    "chacha::keystream": lambda g: g.stream().bytes(g.raw("out")),
    "mask::add u32": masked(4),
    "mask::add u64": masked(8),
    "mask::sub u64": masked(8),
    "skip": lambda g: g.stream().check(g.raw("blocks")),
    "share::expand": lambda g: g.stream().words(g.raw("out")),
    "share::split": lambda g: ring.split(g.zeros("secret"), [Stream(KEY, 1), g.stream()]),
    "share::reconstruct": lambda g: ring.reconstruct(g.zeros("acc"), [g.zeros("share")]),
    "replicated::multiply": lambda g: ring.multiply(
        pair(g, "x"), pair(g, "y"), Stream(KEY, 1), g.stream(), g.raw("out")
    ),
    "replicated::reconstruct": lambda g: ring.open_pairs(
        given_pair(g, "first"), given_pair(g, "second"), g.raw("out")
    ),
    "matmul::multiply_add": lambda g: ring.multiply_add(
        g.raw("rows"), g.raw("inner"), g.raw("columns"), g.zeros("a"), g.zeros("b"), g.zeros("acc")
    ),
    "field::elements": of_field(lambda p, g: field.elements(p, g.words("words"))),
    "field::add": field_wise,
    "field::sub": field_wise,
    "field::mul": field_wise,
    "field::mul_add": of_field(
        lambda p, g: field.zipped(p, lambda acc, x, y: acc, g.zeros("acc"), g.zeros("a"), g.zeros("b"))
    ),
    "field::dot": of_field(lambda p, g: field.dot(p, g.zeros("a"), g.zeros("b"))),
    "field::lagrange_weights": of_field(
        lambda p, g: field.lagrange_weights(p, field.elements(p, g.words("points")), 0)
    ),
    "bits::xor": element_wise,
    "bits::and": element_wise,
    "bits::shift_left": lambda g: planes.shift_left(g.zeros("words"), g.raw("by"), g.zeros("out")),
    "bits::shift_right": lambda g: planes.shift_right(g.zeros("words"), g.raw("by"), g.zeros("out")),
    "bits::to_planes": lambda g: planes.to_planes(g.zeros("values"), g.zeros("planes")),
    "bits::from_planes": lambda g: planes.from_planes(g.zeros("planes"), g.raw("values")),
    "bits::Adder": on_planes(planes.Adder),
    "bits::Carry": on_planes(planes.Carry),
    "bits::Adder::apply": applied(planes.Adder),
    "bits::Carry::apply": applied(planes.Carry),
    "Fixed": lambda g: fixed.check_format(g.raw("fraction_bits"), g.raw("min"), g.raw("max")),
    "fixed::encode": lambda g: fixed.encode(g.zeros("values"), 0, 0, 1, g.zeros("out")),
    "fixed::decode": decoding,
    "fixed::truncate": lambda g: fixed.truncate(g.zeros("share"), g.raw("bits"), True),
    "fixed::truncate_opened": lambda g: fixed.truncate_opened(
        g.zeros("opened"), g.zeros("mask_high"), g.raw("bits"), True
    ),
    "Laplace": lambda g: noise.laplace_of(g.raw("numerator"), g.raw("denominator")),
    "noise::laplace_fill": laplace,
    "noise::laplace_add": laplace,
    "noise::fill Gaussian 100/1": drawing("gaussian", 100, 1),
    "noise::add Binomial 128": drawing("binomial", 128, 1),
    "Bernoulli": law("bernoulli"),
    "Gaussian": law("gaussian"),
    "Skellam": law("skellam"),
    "Binomial": lambda g: tables.Trials(g.raw("trials"), 1),
    "field::uniform": of_field(lambda p, g: field.drawn_elements(p, g.stream(), g.raw("out"))),
    "Ntt": lambda g: field.root(g.raw("log")),
    "Ntt::forward": transforming,
    "Ntt::inverse": transforming,
    "shamir::Scheme": scheme,
    "shamir::Scheme::split": splitting,
    "shamir::Scheme::secret_from": shares_of,
    "shamir::Scheme::share_from": shares_of,
    "shamir::Scheme::decoder": shares_of,
    "matmul::multiply_add_batch": batch,
    "matmul::transpose": transposing,
}


def refused(vector):
    """refused.json"""
    call, given = vector.raw("call"), Given(vector.raw("given"))
    if call not in CALLS:
        raise Misfit(f"{vector.place}: {call} is no call that this reading knows")
    try:
        CALLS[call](given)
    except Refused as answer:
        vector.expect("refusal", answer.refusal)
    else:
        raise Misfit(f"{vector.place}: {call} is not refused by the document")
    if given.unused:
        raise Misfit(f"{vector.place}: not used: {', '.join(sorted(given.unused))}")
