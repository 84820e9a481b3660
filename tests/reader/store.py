"""A second reader of a store, written from core/FORMAT.md and sync/FORMAT.md alone.

    python3 store.py STORE OUT [KEYFILE]    the passphrase or recovery words on standard input

Opens `keys`, writes the database as plain SQLite into the folder OUT, lets SQLite itself recover the
log, checks the signed head of every log, every commitment and every media file, and prints what it
counted as JSON. It shares no code with the programs, so that it can tell where the documents are wrong.
"""
import base64
import hashlib
import json
import math
import os
import re
import sqlite3
import struct
import sys

from nacl import bindings as sodium
from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

PAGE, OVERHEAD, PREAMBLE, SHIFT = 4096, 40, 8192, 4096
FRAME = 24 + PAGE
CHUNK, CHUNK_PLAIN, BLOCK = 65536, 65520, 1 << 20
KIND_PREAMBLE, KIND_PAGE, KIND_HEAD, KIND_FRAME = 1, 2, 3, 4
ERASURE = 9
NO_ID = bytes(16)
PASSPHRASE, KEY_FILE, WORDS = 1, 2, 3
WORD_COUNT = 12
LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cli", "words.txt")


class Damaged(Exception):
    """The store is not as the documents say it must be."""


def need(holds, what):
    if not holds:
        raise Damaged(what)


def h(key, label, *parts):
    digest = hashlib.blake2b(digest_size=32, key=key or b"")
    digest.update(label.encode().ljust(16, b"\0") + b"".join(parts))
    return digest.digest()


def u32(n):
    return struct.pack("<I", n)


def u64(n):
    return struct.pack("<Q", n)


def unseal(block, ad, key):
    """The plain bytes of a sealed block, or None."""
    if len(block) < OVERHEAD:
        return None
    body, nonce, tag = block[:-OVERHEAD], block[-OVERHEAD:-16], block[-16:]
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(body + tag, ad, nonce, key)
    except CryptoError:
        return None


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


# ---- keys ----

def recovery_words(line):
    """The words as a slot takes them, or None."""
    words = [word.lower() for word in re.findall(rb"[A-Za-z]+", line)]
    known = set(read(LIST).split())
    return b" ".join(words) if len(words) == WORD_COUNT and set(words) <= known else None


def open_slot(keys, number, secret, key_file):
    """The store key, if the slot opens."""
    slot = keys[40 + 128 * number:][:128]
    _, flags, memory, passes = struct.unpack("<4I", slot[:16])
    need(flags == 1 or (flags == 0 and 262144 <= memory <= 4194304 and 3 <= passes <= 64),
         "the parameters of a slot")
    key = sodium.crypto_pwhash_alg(32, secret, slot[16:32], passes, memory * 1024,
                                   sodium.crypto_pwhash_ALG_ARGON2ID13)
    if key_file is not None:
        key = h(key, "key mix", h(None, "key file", key_file))
    return unseal(slot[32:104], keys[:40] + u32(number) + slot[:32], key)


def open_keys(keys, line, key_file=None):
    """(store key, store id)"""
    need(len(keys) == 1128 and keys[:16] == b"skrynia keys".ljust(16, b"\0"), "not a file of keys")
    need(keys[1096:] == h(None, "keys sum", keys[:1096]), "the sum of keys")
    need(keys[16:20] == u32(1), "the format of keys")
    words = recovery_words(line)
    ways = [(WORDS, words, None)] if words else []
    ways.append((PASSPHRASE, line, None) if key_file is None else (KEY_FILE, line, key_file))
    for kind, secret, file in ways:
        for number in range(8):
            if keys[40 + 128 * number:][:4] != u32(kind):
                continue
            store_key = open_slot(keys, number, secret, file)
            if store_key:
                need(keys[1064:1096] == h(store_key, "keys mac", keys[:1064]), "the MAC of keys")
                return store_key, keys[24:40]
    raise Damaged("no slot opens")


# ---- the database ----

class Files:
    """`data` and `data-wal`, opened."""

    def __init__(self, folder, store_key, store_id):
        self.wal = read(os.path.join(folder, "data-wal"))
        self.id = store_id
        self.keys = {label: h(store_key, label, store_id) for label in ("preamble", "page", "wal")}
        self.data = read(os.path.join(folder, "data"))
        if not self.preambles():
            self.data = read(os.path.join(folder, "data.next"))
        self.load_preamble()

    def unseal(self, label, kind, place, block, log_id=NO_ID):
        ad = u32(kind) + u32(1) + self.id + log_id + u64(place)
        return unseal(block, ad, self.keys[label])

    def preambles(self):
        """The copies that open."""
        copies = [self.unseal("preamble", KIND_PREAMBLE, copy, self.data[copy * 4096:][:512])
                  for copy in (0, 1)]
        return [plain for plain in copies if plain]

    def load_preamble(self):
        newest = max(self.preambles(), default=None,
                     key=lambda plain: struct.unpack_from("<Q", plain, 8))
        need(newest and newest[:8] == u32(1) + u32(PAGE), "the preamble")
        self.running = newest[16:20] == u32(1)
        self.log_id, self.spent_id = newest[24:40], newest[40:56]
        self.needed, = struct.unpack_from("<Q", newest, 56)
        self.digest = newest[64:96]

    def pages(self):
        need((len(self.data) - PREAMBLE) % PAGE == 0, "a partial page")
        for number in range(1, (len(self.data) - PREAMBLE) // PAGE + 1):
            block = self.data[PREAMBLE + (number - 1) * PAGE:][:PAGE]
            plain = self.unseal("page", KIND_PAGE, number, block)
            # A page that a crash tore stands in the log as a whole.
            need(plain or self.needed > 0, f"page {number}")
            yield (plain or bytes(PAGE - OVERHEAD)) + bytes(OVERHEAD)

    def frame(self, number, log_id):
        offset = 32 + (number - 1) * FRAME
        return self.unseal("wal", KIND_FRAME, offset, self.wal[SHIFT + offset:][:FRAME], log_id)

    def log(self):
        """The log as SQLite would have written it; empty when none counts."""
        head = self.unseal("wal", KIND_HEAD, 0, self.wal[:88])
        log_id = head[32:48] if head else None
        if not self.running:
            begun = log_id == self.log_id and not self.frame(1, log_id) if head else False
            need(not head or begun or log_id == self.spent_id != NO_ID, "a log of another state")
            return b""
        need(log_id == self.log_id, "the log that the preamble names is not there")
        tags = [self.wal[SHIFT + 32 + n * FRAME - 16:][:16] for n in range(1, self.needed + 1)]
        if self.needed:
            need(self.digest == h(self.keys["wal"], "wal", *tags), "the needed frames")
        plain, number = head[:32], 1
        while frame := self.frame(number, log_id):
            plain += frame + bytes(OVERHEAD)
            number += 1
        need(number > self.needed, "a needed frame")
        return plain


# ---- what is in it ----

def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def root(leaves):
    """RFC 6962, 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:half]) + root(leaves[half:])).digest()


def check_note(note, log_id, public):
    """(size, root) of a signed checkpoint."""
    text, signatures = note.split("\n\n", 1)
    text += "\n"
    origin, size, encoded = text.splitlines()
    need(origin == "skrynia/" + log_id.hex(), "the origin of a checkpoint")
    line = signatures.splitlines()[0].split(" ")
    need(line[:2] == ["\u2014", origin], "the signature line of a checkpoint")
    signature = base64.b64decode(line[2])
    key_id = hashlib.sha256(origin.encode() + b"\n\1" + public).digest()[:4]
    need(signature[:4] == key_id, "the key id of a checkpoint")
    VerifyKey(public).verify(text.encode(), signature[4:])
    return int(size), base64.b64decode(encoded)


def check_log(db, row, log_id, public, note):
    need(log_id == h(None, "log id", public[0], public[1]), "a log id")
    first, end = row << 40, (row + 1) << 40
    leaves = []
    for number, entry in db.execute(
            "SELECT id, bytes FROM entry WHERE id >= ? AND id < ? ORDER BY id", (first, end)):
        if number != first + len(leaves):
            break
        leaves.append(leaf(entry))
    size, signed = check_note(note, log_id, public[0])
    need(size <= len(leaves) and root(leaves[:size]) == signed, "the root of a log")
    return len(leaves)


def pieces(text, body):
    for at in range(0, max(len(text), 1), BLOCK):
        yield text[at:at + BLOCK]
    for at in range(0, len(body), BLOCK):
        yield body[at:at + BLOCK]


def check_payload(entry, salt, text, body):
    hashes = b"".join(h(salt, "block", u64(j), piece) for j, piece in enumerate(pieces(text, body)))
    commitment = h(salt, "commit", entry[12:28], entry[28:32], u64(len(text)), u64(len(body)), hashes)
    need(commitment == entry[32:64], "a commitment")


def padme(length):
    exponent = int(math.log2(length))
    step = 1 << exponent - (int(math.log2(exponent)) + 1)
    return (length + step - 1) // step * step


def read_media(folder, name, key, size):
    sealed = read(os.path.join(folder, "media", name.hex()))
    least = max(1, (size + CHUNK_PLAIN - 1) // CHUNK_PLAIN)
    chunks = (padme(least * CHUNK) + CHUNK - 1) // CHUNK
    need(len(sealed) == chunks * CHUNK, "the length of a media file")
    subkey, plain = h(key, "media", name), b""
    for number in range(chunks):
        nonce = u64(number) + bytes([number == chunks - 1]) + bytes(15)
        plain += sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[number * CHUNK:][:CHUNK], None, nonce, subkey)
    need(not any(plain[size:]), "what stands behind a media file")
    return plain[:size]


def check_database(folder, db):
    need(db.execute("PRAGMA integrity_check").fetchone() == ("ok",), "SQLite's own check")
    need(db.execute("PRAGMA user_version").fetchone() == (4,), "the schema's version")
    counted = {"entries": 0, "payloads": 0, "media": 0, "texts": []}
    for row, log_id, sign, dh, note in db.execute(
            "SELECT id, log_id, sign_public, dh_public, note FROM log").fetchall():
        counted["entries"] += check_log(db, row, log_id, (sign, dh), note)
    for entry, salt, text, media in db.execute(
            "SELECT bytes, salt, text, media FROM payload JOIN entry USING(id)").fetchall():
        body = b""
        if media:
            body = read_media(folder, *db.execute(
                "SELECT name, key, size FROM media WHERE id = ?", (media,)).fetchone())
            counted["media"] += 1
        check_payload(entry, salt, text, body)
        described = json.loads(text)
        if "sha256" in described:
            need(hashlib.sha256(body).hexdigest() == described["sha256"], "an attachment's SHA-256")
        counted["payloads"] += 1
        counted["texts"].append(described)
    return counted


def main(folder, out, key_file=None):
    line = sys.stdin.buffer.readline().rstrip(b"\n")
    store_key, store_id = open_keys(read(os.path.join(folder, "keys")), line,
                                    read(key_file) if key_file else None)
    files = Files(folder, store_key, store_id)
    plain = os.path.join(out, "plain.db")
    with open(plain, "wb") as file:
        file.writelines(files.pages())
    log = files.log()
    if log:
        with open(plain + "-wal", "wb") as file:
            file.write(log)
    db = sqlite3.connect(plain)
    counted = check_database(folder, db)
    db.close()
    counted["log"] = len(log) > 0
    json.dump(counted, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
