"""The volume, in which bundles and receipts travel: length, the courier's code, slots, header, chunks ("Volume")."""

import hashlib
import struct

from sealing import (HEADER_SIZE, NO_KEY, SLOTS_AT, SLOT_SIZE, Cursor, config, damaged, dh_public, keyed_hash,
                     open_chacha, open_xchacha, padded, refused, shared_value)

CHUNK_SIZE = 65536
CHUNK_PLAIN = 65520
LEAST_LENGTH = 262144
GREATEST_LENGTH = 65536 * 65520
MAC_AT = 65504
CODE_GROUPS = 6


def rounded_up(number, unit):
    return -(-number // unit) * unit


def padme(length):
    exponent = length.bit_length() - 1
    kept = exponent.bit_length()
    return rounded_up(rounded_up(length, 1 << (exponent - kept)), CHUNK_SIZE)


def length_of_file(least):
    """The length of a file that needs `least` bytes ("Length")."""
    if least < LEAST_LENGTH:
        return LEAST_LENGTH
    return min(padme(least), GREATEST_LENGTH)


def chunks_of_length(length):
    if length_of_file(length) != length:
        raise damaged("a length that no volume has")
    return length // CHUNK_SIZE - 1


def file_hash(data):
    return keyed_hash(NO_KEY, "file", data)


def groups_of_digits(label, hashed, count):
    digest = hashlib.blake2b(padded(label) + hashed, digest_size=64).digest()
    groups = (int.from_bytes(digest[5 * i:5 * i + 5], "big") % 100000 for i in range(count))
    return " ".join(f"{group:05d}" for group in groups)


def code_of(hashed):
    return groups_of_digits("code", hashed, CODE_GROUPS)


def check_code(hashed, typed):
    """The code of a file's hash, where what a person typed is that code."""
    digits = typed.replace(" ", "").replace("-", "")
    code = code_of(hashed)
    if digits != code.replace(" ", ""):
        raise refused("another code")
    return code


class Party:
    """Who reads volumes: a chain, the X25519 scalars in the order in which they are tried, and whether there were
    others that are forgotten."""

    def __init__(self, chain, scalars, forgot_keys=False):
        self.chain = chain
        self.scalars = scalars
        self.forgot_keys = forgot_keys


class Volume:
    """What an opened header gives."""

    def __init__(self, file_key, set_id, header_hash):
        self.set_id = set_id
        self.header_hash = header_hash
        self.key = keyed_hash(file_key, "volume", bytes(1) + header_hash)


def find_index(party, header):
    found = party.chain.find(header)
    if found is None:
        raise refused("no slot for this reader")
    return found


def known_file(found, data):
    """Whether this is the file that spent its index; any other file with a spent tag is refused."""
    if found.spent is None:
        return False
    if found.spent.file_hash != file_hash(data):
        raise refused("another file spent this index")
    return True


def open_header(party, found, header):
    """Rules 3 to 5 of "What a reader checks"."""
    content = open_slot(party, found, header)
    fields = Cursor(content)
    file_key, set_id = fields.take(32), fields.take(16)
    k, n, number, version = fields.take(4)
    if (k, n, number, version) != (1, 1, 0, 1):
        raise config("a slot of a newer format")
    if any(fields.take(12)):
        raise damaged("a slot whose end is not zeros")
    header_key = keyed_hash(file_key, "header key", header[:32])
    if keyed_hash(header_key, "header", header[:MAC_AT]) != header[MAC_AT:]:
        raise damaged("the header's MAC")
    return Volume(file_key, set_id, keyed_hash(NO_KEY, "header hash", header))


def open_slot(party, found, header):
    n0 = header[:32]
    start = SLOTS_AT + found.slot * SLOT_SIZE
    slot = header[start:start + SLOT_SIZE]
    mask = keyed_hash(found.keys.mk, "mask", n0)
    ephemeral = bytes(a ^ b for a, b in zip(slot[16:48], mask))
    for scalar in party.scalars:
        shared = shared_value(scalar, ephemeral)
        if shared is None:
            continue
        key = keyed_hash(found.keys.wk, "wrap", n0 + ephemeral + dh_public(scalar) + shared)
        content = open_chacha(key, slot[48:], n0 + slot[:48])
        if content is not None:
            return content
    if party.forgot_keys:
        raise refused("it may be sealed to keys that are forgotten")
    raise damaged("the slot does not open")


def open_chunk(key, index, last, sealed):
    """A chunk's plain bytes, or None."""
    nonce = struct.pack("<QB", index, last) + bytes(15)
    return open_xchacha(key, nonce, sealed)


def chunk_at(data, index):
    start = HEADER_SIZE + index * CHUNK_SIZE
    return data[start:start + CHUNK_SIZE]


class InnerStream:
    """The plain bytes of all chunks; a chunk is opened only when a byte of it is needed."""

    def __init__(self, volume, data):
        self.key = volume.key
        self.data = data
        self.count = len(data) // CHUNK_SIZE - 1
        self.opened = 0
        self.waiting = bytearray()

    def take(self, count):
        while len(self.waiting) < count:
            self.open_next()
        piece = bytes(self.waiting[:count])
        del self.waiting[:count]
        return piece

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def open_next(self):
        if self.opened == self.count:
            raise damaged("the inner stream ends within a field")
        last = self.opened == self.count - 1
        plain = open_chunk(self.key, self.opened, last, chunk_at(self.data, self.opened))
        if plain is None:
            raise damaged("a chunk does not open")
        self.waiting += plain
        self.opened += 1

    def finish(self):
        """Everything up to the last chunk is zeros."""
        while True:
            if any(self.waiting):
                raise damaged("something stands behind the inner stream")
            if self.opened == self.count:
                return
            self.waiting.clear()
            self.open_next()
