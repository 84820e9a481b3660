"""The invite, as a file and as its content, for a device that has no pair with its archive ("Invite")."""

import re

import nacl.pwhash

from notes import can_be_shown, utf8
from sealing import (Cursor, agrees_with_nobody, config, damaged, keyed_hash, open_xchacha,
                     signature_is_right, wrong_key)

FILE_LENGTH = 4096
SALT_END, SEALED_END, NONCE_END = 16, 4056, 4080
CONTENT_LENGTH = 4040
SIGNED_LENGTH = 334
NAME_LIMIT = 100
CONTEXT = b"skrynia invite 1\0"
ARGON_PASSES, ARGON_BYTES = 3, 256 << 20


def normalised(words):
    """The code words in lower case with one space between two."""
    return " ".join(re.findall("[A-Za-z]+", words)).lower()


def invite_key(words, salt):
    stretched = nacl.pwhash.argon2id.kdf(32, normalised(words).encode(), salt, opslimit=ARGON_PASSES,
                                         memlimit=ARGON_BYTES)
    return keyed_hash(stretched, "invite", b"")


def open_invite(data, words):
    if len(data) != FILE_LENGTH:
        raise damaged("another length than that of an invite")
    key = invite_key(words, data[:SALT_END])
    nonce = data[SEALED_END:NONCE_END]
    content = open_xchacha(key, nonce, data[SALT_END:SEALED_END] + data[NONCE_END:])
    if content is None:
        raise wrong_key("wrong words, or a damaged file")
    return Invite(content)


def name_of(fields):
    """A name and the zeros behind it."""
    length = fields.number(1)
    field = fields.take(NAME_LIMIT)
    if not 1 <= length <= NAME_LIMIT or any(field[length:]):
        raise damaged("the length of a name, or what stands behind it")
    name = utf8(field[:length])
    if name is None or not can_be_shown(name):
        raise damaged("a name that cannot be shown")
    return name


class Invite:
    """The content of an invite that passed every check."""

    def __init__(self, content):
        fields = Cursor(content)
        version = fields.number(4)
        if version > 1:
            raise config("an invite of a newer version")
        self.dh, self.sign, self.psk = fields.take(32), fields.take(32), fields.take(32)
        names = Cursor(fields.take(2 * (1 + NAME_LIMIT)))
        self.archive = fields.take(32)
        if not signature_is_right(self.sign, CONTEXT + content[:SIGNED_LENGTH], fields.take(64)):
            raise damaged("the invite's signature")
        if version == 0 or any(content[fields.position:]):
            raise damaged("version 0, or no zeros at the end")
        self.name, self.alias = name_of(names), name_of(names)
        if agrees_with_nobody(self.dh):
            raise damaged("an X25519 key with which nobody agrees")


def padded_content(content):
    """A content that was cut in front of the zeros at its end."""
    return content.ljust(CONTENT_LENGTH, b"\0")
