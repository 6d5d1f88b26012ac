"""ChaCha20 and streams."""

from base import Refused

BLOCK = 64
MASK = 0xFFFFFFFF


def quarter(x, a, b, c, d):
    for up, left in ((16, 12), (8, 7)):
        x[a] = (x[a] + x[b]) & MASK
        x[d] = rotate(x[d] ^ x[a], up)
        x[c] = (x[c] + x[d]) & MASK
        x[b] = rotate(x[b] ^ x[c], left)


def rotate(word, by):
    return (word << by | word >> (32 - by)) & MASK


def block(key, stream, index):
    """The 64 bytes of a block."""
    state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    state += [int.from_bytes(key[i : i + 4], "little") for i in range(0, 32, 4)]
    state += [index & MASK, index >> 32, stream & MASK, stream >> 32]
    x = list(state)
    for _ in range(10):
        for column in range(4):
            quarter(x, column, column + 4, column + 8, column + 12)
        for column in range(4):
            quarter(x, column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12)
    return b"".join(((a + b) & MASK).to_bytes(4, "little") for a, b in zip(x, state))


def blocks_of(length, size):
    """Blocks that hold so many elements of so many bytes."""
    return -(-length * size // BLOCK)


class Stream:
    """Key, id and the number of the next unused block."""

    def __init__(self, key, stream, position=0):
        self.key, self.id, self.position = key, stream, position

    def check(self, blocks):
        left = (1 << 64) - self.position
        if blocks > left:
            raise Refused("StreamExhausted", needed=blocks, left=left)

    def take(self, blocks):
        """The bytes of so many blocks."""
        self.check(blocks)
        first, self.position = self.position, self.position + blocks
        return b"".join(block(self.key, self.id, index) for index in range(first, first + blocks))

    def bytes(self, length):
        return list(self.take(blocks_of(length, 1))[:length])

    def words(self, length, size=8):
        taken = self.take(blocks_of(length, size))
        return [int.from_bytes(taken[i * size : (i + 1) * size], "little") for i in range(length)]


def stream_at(at):
    """The stream that a vector's position names."""
    key = at.raw("key")
    if key != key.lower() or len(key) != 64:
        raise ValueError("a key is 32 bytes, in lower-case hexadecimal")
    stream = Stream(bytes.fromhex(key), at.number("id"), at.number("block"))
    at.whole()
    return stream


def chacha(vector):
    """chacha.json"""
    vector.raw("source")
    stream = stream_at(vector.inner("at"))
    length = len(vector.raw("keystream")) // 2
    vector.expect("keystream", bytes(stream.bytes(length)).hex())
