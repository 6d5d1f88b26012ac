"""Shamir's shares: splitting, reconstructing, and wrong shares found by trying."""

from functools import lru_cache
from itertools import combinations
from math import comb

from base import Misfit, Refused
from chacha import stream_at
from field import MODULI, dot, drawn_elements, elements, lagrange_weights


@lru_cache(maxsize=None)
def weights_of(p, parties, at):
    return lagrange_weights(p, parties, at)


class Scheme:
    def __init__(self, p, parties, threshold):
        if not 1 <= threshold < parties:
            raise Refused("Threshold", parties=parties, threshold=threshold)
        self.p, self.parties, self.t = p, parties, threshold

    def split(self, secret, stream):
        stream.check(2 * self.t * -(-len(secret) // 8))
        drawn = [drawn_elements(self.p, stream, len(secret)) for _ in range(self.t)]
        share = lambda x, i: secret[i] + sum(comb(x, k) * d[i] for k, d in enumerate(drawn, 1))
        return [[share(x, i) % self.p for i in range(len(secret))] for x in range(1, self.parties + 1)]

    def check(self, parties):
        for party in parties:
            if not 1 <= party <= self.parties:
                raise Refused("PartyIndex", party=party, parties=self.parties)
        for party in sorted(parties):
            if parties.count(party) > 1:
                raise Refused("SameParty", party=party)
        if len(parties) < self.t + 1:
            raise Refused("TooFewShares", given=len(parties), needed=self.t + 1)

    def reconstruct(self, parties, shares, at):
        self.check(parties)
        used = self.t + 1
        weights = weights_of(self.p, tuple(parties[:used]), at)
        return [dot(self.p, weights, column) for column in zip(*shares[:used])]

    def misfits(self, parties, shares):
        self.check(parties)
        due = [self.reconstruct(parties, shares, party) for party in parties]
        return [i for i in range(len(shares[0])) if any(a[i] != b[i] for a, b in zip(due, shares))]

    def correct(self, parties, shares):
        self.check(parties)
        most = (len(parties) - self.t - 1) // 2
        secret, liars = self.reconstruct(parties, shares, 0), set()
        for i in self.misfits(parties, shares):
            found = self.corrected(parties, [[share[i]] for share in shares], most)
            if found is None:
                raise Refused("TooManyWrong", element=i, most=most)
            secret[i] = found[0]
            liars |= found[1]
        return secret, sorted(liars)

    def corrected(self, parties, values, most):
        """The secret of one element and who is wrong: the polynomial through some of the values that fits enough."""
        for chosen in combinations(range(len(parties)), self.t + 1):
            base, given = [parties[j] for j in chosen], [values[j] for j in chosen]
            due = [self.reconstruct(base, given, party) for party in parties]
            wrong = {party for party, a, b in zip(parties, due, values) if a != b}
            if len(wrong) <= most:
                return self.reconstruct(base, given, 0)[0], wrong
        return None


def shamir(vector):
    """shamir.json"""
    p = MODULI[vector.raw("name")]
    scheme = Scheme(p, vector.count("parties"), vector.count("threshold"))
    secret = elements(p, vector.numbers("secret"))
    shares = scheme.split(secret, stream_at(vector.inner("at")))
    vector.expect("shares", [[f"{x:x}" for x in share] for share in shares])
    of = lambda parties: [shares[party - 1] for party in parties]

    given = vector.raw("given")
    for at in range(scheme.parties + 1):
        due = secret if at == 0 else shares[at - 1]
        if scheme.reconstruct(given, of(given), at) != due:
            raise Misfit(f"{vector.place}: what is reconstructed at {at} is something else")

    decoded = vector.raw("decoded")
    texts = lambda name: [elements(p, [int(text, 16) for text in share]) for share in vector.raw(name)]
    wrong = texts("wrong")
    vector.expect("misfits", scheme.misfits(decoded, wrong))
    corrected, liars = scheme.correct(decoded, wrong)
    vector.expect("liars", liars)
    if corrected != secret:
        raise Misfit(f"{vector.place}: what is corrected is not the secret")
    refusals = [("too_few", "TooFewShares"), ("nobody", "PartyIndex"), ("twice", "SameParty")]
    for name, kind in refusals:
        refused(vector, name, kind, lambda parties: scheme.check(parties))
    answer = refused(vector, "hopeless", "TooManyWrong", lambda _: scheme.correct(decoded, texts("hopeless")))
    vector.expect("hopeless_element", answer["element"])


def refused(vector, name, kind, call):
    try:
        call(vector.raw(name))
    except Refused as answer:
        if answer.refusal["kind"] == kind:
            return answer.refusal
    raise Misfit(f"{vector.place}.{name} is not refused by {kind}")
