"""Volumes: keys, slots, chunks, lengths. A part of the reader in travel.py."""
import hashlib

from nacl import bindings as sodium
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import VerifyKey

from store import h, padme, u64

HEADER, CHUNK, PLAIN = 65536, 65536, 65520
LEAST, GREATEST = 262144, 4293918720


class Refusal(Exception):
    """What was read is not accepted; the only argument is the class."""


def need(holds, kind="damaged"):
    if not holds:
        raise Refusal(kind)


class Cursor:
    """Bytes, from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        need(n <= len(self.data) - self.at)
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "little")


def verify(key, signature, message, kind="damaged"):
    try:
        VerifyKey(key).verify(message, signature)
    except (BadSignatureError, ValueError):
        raise Refusal(kind) from None


# ---- keys ----

def subkey(key, number):
    return hashlib.blake2b(b"", digest_size=32, key=key, salt=u64(number).ljust(16, b"\0"),
                           person=b"skrynia1".ljust(16, b"\0")).digest()


def index_keys(psk):
    """(TK, MK, WK)"""
    return subkey(psk, 2), subkey(psk, 3), subkey(psk, 4)


def ratchet(psk, receipts, index):
    if receipts:
        psk = subkey(psk, 5)
    for _ in range(index):
        psk = subkey(psk, 1)
    return psk


def tag_of(tag_key, n0):
    return h(tag_key, "tag", n0)[:16]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


class Chain:
    """One chain of one pair, on the reading side."""

    def __init__(self, psk):
        self.psk, self.next = psk, 0
        self.kept, self.spent = {}, {}

    def find(self, header):
        """(index, keys or None, slot) of the first tag that stands in a slot, or None."""
        slots = [header[32 + 128 * n:][:16] for n in range(8)]

        def slot(tag_key):
            tag = tag_of(tag_key, header[:32])
            return slots.index(tag) if tag in slots else None

        for index in range(self.next - 1, -1, -1):
            keys = self.kept.get(index)
            tag_key = keys[0] if keys else self.spent[index][0]
            if slot(tag_key) is not None:
                return index, keys, slot(tag_key)
        psk = self.psk
        for index in range(self.next, self.next + 4096):
            keys = index_keys(psk)
            if slot(keys[0]) is not None:
                return index, keys, slot(keys[0])
            psk = subkey(psk, 1)
        return None

    def spend(self, index, file_hash):
        while self.next <= index:
            self.kept[self.next] = index_keys(self.psk)
            self.psk, self.next = subkey(self.psk, 1), self.next + 1
        self.spent[index] = self.kept.pop(index)[0], file_hash


# ---- volumes ----

def length_possible(length):
    if length % CHUNK or length < LEAST or length > GREATEST:
        return False
    want = min((padme(length) + CHUNK - 1) // CHUNK * CHUNK, GREATEST)
    return want == length or length == LEAST


def unseal_slot(header, slot, keys, scalar):
    """The content of a slot, None if it does not open."""
    _, mask_key, wrap_key = keys
    at, n0 = header[32 + 128 * slot:][:128], header[:32]
    point = xor(at[16:48], h(mask_key, "mask", n0))
    try:
        shared = sodium.crypto_scalarmult(scalar, point)
    except (CryptoError, RuntimeError):
        return None
    if not any(shared):
        return None
    own = sodium.crypto_scalarmult_base(scalar)
    key = h(wrap_key, "wrap", n0, point, own, shared)
    try:
        return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(at[48:], n0 + at[:48], bytes(12), key)
    except CryptoError:
        return None


def open_slot(header, slot, keys, scalar):
    """(file key, set id)"""
    plain = unseal_slot(header, slot, keys, scalar)
    need(plain is not None)
    need(plain[48:52] == b"\1\1\0\1", "config")
    need(not any(plain[52:]))
    return plain[:32], plain[32:48]


def open_volume(whole, slot, keys, scalar):
    """(inner stream with its zeros, header hash, set id)"""
    header = whole[:HEADER]
    file_key, set_id = open_slot(header, slot, keys, scalar)
    need(header[65504:] == h(h(file_key, "header key", header[:32]), "header", header[:65504]))
    header_hash = h(None, "header hash", header)
    key, count, plain = h(file_key, "volume", b"\0", header_hash), len(whole) // CHUNK - 1, []
    for j in range(count):
        nonce = u64(j) + bytes([j == count - 1]) + bytes(15)
        sealed = whole[HEADER + CHUNK * j:][:CHUNK]
        try:
            plain.append(sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, None, nonce, key))
        except CryptoError:
            # What was verified before may already say no, and says it first.
            return Broken(b"".join(plain)), header_hash, set_id
    return Cursor(b"".join(plain)), header_hash, set_id


class Broken(Cursor):
    """A stream that ends at a chunk whose tag is wrong."""


def end_of_volume(inner):
    need(not isinstance(inner, Broken))
    need(not any(inner.data[inner.at:]))


def code_of(file_hash):
    digest = hashlib.blake2b(b"code".ljust(16, b"\0") + file_hash, digest_size=64).digest()
    return " ".join(f"{int.from_bytes(digest[5 * n:5 * n + 5], 'big') % 100000:05}" for n in range(6))
