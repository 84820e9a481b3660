"""Signed notes, the checkpoints among them, and words that can be shown ("Signed notes", "Words that can be shown")."""

import base64
import binascii
import hashlib
import re

from sealing import FormatError, damaged, signature_is_right

SIGNATURE, COSIGNATURE = 1, 4
SIGNATURE_LINES_LIMIT = 100
COSIGNED_TEXT_LIMIT = 256
NUMBER = r"(?:0|[1-9][0-9]*)"
ROOT = r"[A-Za-z0-9+/]{43}="

NOT_SHOWN = (
    (0x0000, 0x001F), (0x007F, 0x009F), (0x00AD, 0x00AD), (0x0600, 0x0605), (0x061C, 0x061C), (0x06DD, 0x06DD),
    (0x070F, 0x070F), (0x0890, 0x0891), (0x08E2, 0x08E2), (0x180E, 0x180E), (0x200B, 0x200F), (0x2028, 0x202E),
    (0x2060, 0x206F), (0xD800, 0xDFFF), (0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFB), (0x110BD, 0x110BD),
    (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE00FF),
    (0xE01F0, 0xE0FFF))


def can_be_shown(text):
    return all(character_can_be_shown(ord(character)) for character in text)


def character_can_be_shown(point):
    if point & 0xFFFE == 0xFFFE:
        return False
    return not any(first <= point <= last for first, last in NOT_SHOWN)


def utf8(data):
    """The text, or None where it is not well formed."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def canonical_base64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise damaged("no base64") from None
    if base64.b64encode(data).decode() != text:
        raise damaged("base64 that is not canonical")
    return data


def decimal(text, bound):
    if not re.fullmatch(NUMBER, text) or len(text) > 20 or int(text) >= bound:
        raise damaged("a number that is not written as one, or too large")
    return int(text)


def root_of(text):
    if not re.fullmatch(ROOT, text):
        raise damaged("a root that is not written as one")
    return canonical_base64(text)


class SignatureLine:
    """A line behind a note's text: the key's name, its id and what follows that."""

    def __init__(self, line):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014":
            raise damaged("a signature line that is none")
        self.name = parts[1]
        if not self.name or "+" in self.name or any(character.isspace() for character in self.name):
            raise damaged("the name of a key")
        data = canonical_base64(parts[2])
        if len(data) < 5:
            raise damaged("a signature that is too short")
        self.key_id, self.signature = data[:4], data[4:]


class Note:
    """A note that is well formed; who signed it is asked afterwards."""

    def __init__(self, raw):
        text = utf8(raw)
        if text is None or any(character < " " and character != "\n" for character in text):
            raise damaged("a note that is no text")
        end = text.rfind("\n\n")
        if end < 0 or not text.endswith("\n"):
            raise damaged("a note without signatures")
        lines = text[end + 2:].split("\n")[:-1]
        if not 1 <= len(lines) <= SIGNATURE_LINES_LIMIT:
            raise damaged("too few or too many signature lines")
        self.text = text[:end + 1]
        self.lines = [SignatureLine(line) for line in lines]

    def signatures(self, name, kind, public_key):
        wanted = key_id(name, kind, public_key)
        found = [line.signature for line in self.lines if (line.name, line.key_id) == (name, wanted)]
        if not found:
            raise damaged("not signed by this key")
        return found

    def verify(self, name, public_key):
        for signature in self.signatures(name, SIGNATURE, public_key):
            if len(signature) != 64 or not signature_is_right(public_key, self.text.encode(), signature):
                raise damaged("a signature that is not right")

    def verify_cosignature(self, name, public_key):
        text = self.text.encode()
        for signature in self.signatures(name, COSIGNATURE, public_key):
            time = int.from_bytes(signature[:8], "big")
            if len(signature) != 72 or time >= 1 << 63 or len(text) >= COSIGNED_TEXT_LIMIT:
                raise damaged("a cosignature that is none")
            message = b"cosignature/v1\ntime %d\n" % time + text
            if not signature_is_right(public_key, message, signature[8:]):
                raise damaged("a cosignature that is not right")

    def is_signed_by(self, name, public_key):
        try:
            self.verify(name, public_key)
        except FormatError:
            return False
        return True


def key_id(name, kind, public_key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]


class Checkpoint:
    """The three lines of a checkpoint's text."""

    def __init__(self, text):
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise damaged("a checkpoint of other than three lines")
        self.origin = lines[0]
        self.size = decimal(lines[1], 1 << 64)
        self.root = root_of(lines[2])


def origin_of(log):
    return "skrynia/" + log.hex()


def verify_checkpoint(raw, log, sign_key):
    """The checkpoint of a log, signed by its device."""
    return checkpoint_of(Note(raw), log, sign_key)


def checkpoint_of(note, log, sign_key):
    note.verify(origin_of(log), sign_key)
    checkpoint = Checkpoint(note.text)
    if checkpoint.origin != origin_of(log):
        raise damaged("a checkpoint of another log")
    return checkpoint
