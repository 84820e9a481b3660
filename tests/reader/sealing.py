"""What everything else stands on: the classes of error, keyed hashes, signatures, key agreement, and the ratchet by
whose tags a reader finds its slot ("Conventions", "Parties", "Ratchet").
"""

import hashlib
import struct

import nacl.bindings
import nacl.exceptions

NO_KEY = b""
SUBKEY_PERSONAL = b"skrynia1" + bytes(8)
SUBKEY_NEXT, SUBKEY_TAG, SUBKEY_MASK, SUBKEY_WRAP, SUBKEY_RECEIPTS = 1, 2, 3, 4, 5
SEARCHED_AHEAD = 4096
HEADER_SIZE = 65536
SLOTS_AT, SLOT_SIZE, SLOT_COUNT = 32, 128, 8
TAG_SIZE = 16


class FormatError(Exception):
    """A broken rule of the format; `kind` is its class ("Classes")."""

    def __init__(self, kind, reason):
        super().__init__(reason)
        self.kind = kind


def damaged(reason):
    return FormatError("damaged", reason)


def refused(reason):
    return FormatError("refused", reason)


def limit(reason):
    return FormatError("limit", reason)


def config(reason):
    return FormatError("config", reason)


def wrong_key(reason):
    return FormatError("wrong_key", reason)


def malformed(reason):
    return FormatError("malformed", reason)


class Cursor:
    """Reads fields one after the other; what ends before a field is complete is damaged."""

    def __init__(self, data):
        self.data = data
        self.position = 0

    def take(self, count):
        end = self.position + count
        if end > len(self.data):
            raise damaged("ends within a field")
        piece = self.data[self.position:end]
        self.position = end
        return piece

    def number(self, size):
        return int.from_bytes(self.take(size), "little")


def keyed_hash(key, label, data):
    return hashlib.blake2b(padded(label) + data, key=key, digest_size=32).digest()


def padded(label):
    return label.encode("ascii").ljust(16, b"\0")


def subkey(key, number):
    salt = struct.pack("<Q", number) + bytes(8)
    return hashlib.blake2b(b"", key=key, salt=salt, person=SUBKEY_PERSONAL, digest_size=32).digest()


def log_id(sign_key, dh_key):
    return keyed_hash(NO_KEY, "log id", sign_key + dh_key)


def archive_id(sign_key, dh_key):
    return keyed_hash(NO_KEY, "archive id", sign_key + dh_key)


def signature_is_right(public_key, message, signature):
    try:
        nacl.bindings.crypto_sign_open(signature + message, public_key)
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False
    return True


def dh_public(scalar):
    return nacl.bindings.crypto_scalarmult_base(scalar)


def shared_value(scalar, public_key):
    """The result of X25519, or None where it is 32 zeros."""
    try:
        return nacl.bindings.crypto_scalarmult(scalar, public_key)
    except (RuntimeError, nacl.exceptions.CryptoError):
        return None


def agrees_with_nobody(dh_key):
    """Whether every agreement with this X25519 key is zero: any scalar shows it."""
    return shared_value(bytes(range(32)), dh_key) is None


def sign_key_can_be(sign_key):
    """Canonical, on the curve, in the group of prime order and not of small order."""
    return nacl.bindings.crypto_core_ed25519_is_valid_point(sign_key)


def open_xchacha(key, nonce, sealed):
    """The plain bytes, or None."""
    try:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, None, nonce, key)
    except nacl.exceptions.CryptoError:
        return None


def open_chacha(key, sealed, associated):
    """The plain bytes under a nonce of zeros, or None."""
    try:
        return nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, associated, bytes(12), key)
    except nacl.exceptions.CryptoError:
        return None


class IndexKeys:
    """TK, MK and WK of one index of a chain."""

    def __init__(self, psk):
        self.tk = subkey(psk, SUBKEY_TAG)
        self.mk = subkey(psk, SUBKEY_MASK)
        self.wk = subkey(psk, SUBKEY_WRAP)


def tag_of(tk, n0):
    return keyed_hash(tk, "tag", n0)[:TAG_SIZE]


def chain_start(psk, receipts):
    return subkey(psk, SUBKEY_RECEIPTS) if receipts else psk


def psk_at(psk, steps):
    for _ in range(steps):
        psk = subkey(psk, SUBKEY_NEXT)
    return psk


class Spent:
    """What is kept of a spent index: TK, the file's hash, and what its owner wants to tell of the file later."""

    def __init__(self, tk, file_hash, remembered):
        self.tk = tk
        self.file_hash = file_hash
        self.remembered = remembered


class Found:
    """An index whose tag stands in a slot; `keys` are None where the index is spent."""

    def __init__(self, index, slot, keys, spent):
        self.index = index
        self.slot = slot
        self.keys = keys
        self.spent = spent


class Chain:
    """A reader's side of one chain of keys."""

    def __init__(self, psk):
        self.psk = psk
        self.seen = 0
        self.passed = {}
        self.spent = {}

    def find(self, header):
        """The index that this volume was made with, or None."""
        n0 = header[:32]
        slots = slots_by_tag(header)
        for index in sorted([*self.passed, *self.spent], reverse=True):
            spent = self.spent.get(index)
            keys = self.passed.get(index)
            slot = slots.get(tag_of(spent.tk if spent else keys.tk, n0))
            if slot is not None:
                return Found(index, slot, keys, spent)
        return self.find_ahead(n0, slots)

    def find_ahead(self, n0, slots):
        psk = self.psk
        for index in range(self.seen, self.seen + SEARCHED_AHEAD):
            slot = slots.get(tag_of(subkey(psk, SUBKEY_TAG), n0))
            if slot is not None:
                return Found(index, slot, IndexKeys(psk), None)
            psk = subkey(psk, SUBKEY_NEXT)
        return None

    def spend(self, found, file_hash, remembered):
        while self.seen <= found.index:
            self.passed[self.seen] = IndexKeys(self.psk)
            self.psk = subkey(self.psk, SUBKEY_NEXT)
            self.seen += 1
        keys = self.passed.pop(found.index)
        self.spent[found.index] = Spent(keys.tk, file_hash, remembered)


def slots_by_tag(header):
    """Which slot has a tag; of two with one tag the first."""
    slots = {}
    for number in range(SLOT_COUNT):
        start = SLOTS_AT + number * SLOT_SIZE
        slots.setdefault(header[start:start + TAG_SIZE], number)
    return slots
