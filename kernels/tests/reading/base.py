"""What all families share: words, refusals, and vectors of which every field must be read."""

WORD = 1 << 64


class Refused(Exception):
    """A call that the document refuses."""

    def __init__(self, kind, **numbers):
        super().__init__(kind, numbers)
        self.refusal = {"kind": kind, **numbers}


class Misfit(Exception):
    """A vector that does not fit the document."""


def one_length(left, right):
    """Refuses two vectors of different lengths, of which the first is written."""
    if len(left) != len(right):
        raise Refused("Length", left=len(left), right=len(right))


def sized(name, vector, needed):
    if len(vector) != needed:
        raise Refused("Size", slice=name, given=len(vector), needed=needed)


def signed(word):
    return word - WORD if word >= WORD >> 1 else word


def number(text, below=WORD):
    """A number of the vectors: lower-case hexadecimal, no leading zero."""
    value = int(text, 16)
    if f"{value:x}" != text or value >= below:
        raise Misfit(f"{text!r} is not how a number is written here")
    return value


class Vector:
    """A JSON object. Reading a field marks it; a field that is never read is one that this reading does not know."""

    def __init__(self, fields, place):
        self.fields, self.place, self.unread = fields, place, set(fields)

    def raw(self, name):
        if name not in self.fields:
            raise Misfit(f"{self.place} has no {name}")
        self.unread.discard(name)
        return self.fields[name]

    def count(self, name):
        value = self.raw(name)
        if type(value) is not int or abs(value) >= 1 << 53:
            raise Misfit(f"{self.place}.{name} should be a JSON number, and exact")
        return value

    def number(self, name, below=WORD):
        return number(self.raw(name), below)

    def numbers(self, name, below=WORD):
        return [number(text, below) for text in self.raw(name)]

    def inner(self, name):
        return Vector(self.raw(name), f"{self.place}.{name}")

    def inners(self, name):
        return [Vector(fields, f"{self.place}.{name}[{i}]") for i, fields in enumerate(self.raw(name))]

    def expect(self, name, value):
        """Compares a JSON number, a text or a list of JSON numbers."""
        got = self.raw(name)
        if got != value or type(got) is not type(value):
            raise Misfit(f"{self.place}.{name}: {first_difference(got, value)}")

    def expect_number(self, name, value):
        self.expect(name, f"{value:x}")

    def expect_numbers(self, name, values):
        self.expect(name, [f"{value:x}" for value in values])

    def whole(self):
        """Every field was read."""
        if self.unread:
            raise Misfit(f"{self.place} has fields that this reading does not know: {', '.join(sorted(self.unread))}")


def first_difference(got, value):
    if isinstance(got, list) and isinstance(value, list):
        if len(got) != len(value):
            return f"{len(got)} elements in the vector, {len(value)} by the document"
        i = next(i for i, pair in enumerate(zip(got, value)) if pair[0] != pair[1])
        return f"element {i} is {got[i]} in the vector, {value[i]} by the document"
    return f"{got} in the vector, {value} by the document"
