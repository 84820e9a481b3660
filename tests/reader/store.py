"""A second reader of a store, written from core/FORMAT.md and sync/FORMAT.md alone.

    python3 store.py STORE OUT [KEYFILE]    the passphrase or recovery words on standard input

Opens `keys`, writes the database as plain SQLite into the folder OUT, with what its log has, checks the
signed head of every log, every commitment and every media file, and that what is gone was withdrawn or
purged, and prints what it counted as JSON. It shares no code with the programs, so that it can tell where
the documents are wrong.
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
ERASURE = struct.pack("<H", 9)  # an entry's type
OWN = 0  # a log's state
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
    least, fewest = (8, 1) if flags & 1 else (262144, 3)
    need(flags in (0, 1) and least <= memory <= 4194304 and fewest <= passes <= 64,
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
    need(keys[20:24] in (u32(1), u32(2)), "the kind of store")
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
        copies = self.preambles()
        need(copies and all(plain[:8] == u32(1) + u32(PAGE) for plain in copies), "the preamble")
        newest = max(copies, key=lambda plain: struct.unpack_from("<Q", plain, 8))
        self.running = newest[16:20] != u32(0)
        self.log_id, self.spent_id = newest[24:40], newest[40:56]
        self.needed, = struct.unpack_from("<Q", newest, 56)
        self.digest = newest[64:96]

    def page(self, number):
        """The page as SQLite knows it, or None."""
        block = self.data[PREAMBLE + (number - 1) * PAGE:][:PAGE]
        plain = self.unseal("page", KIND_PAGE, number, block)
        return plain and plain + bytes(OVERHEAD)

    def frame(self, number, log_id):
        offset = 32 + (number - 1) * FRAME
        return self.unseal("wal", KIND_FRAME, offset, self.wal[SHIFT + offset:][:FRAME], log_id)

    def log(self):
        """SQLite's head and the frames from 1 on that open; (None, []) when no log counts."""
        head = self.unseal("wal", KIND_HEAD, 0, self.wal[:88])
        log_id = head[32:48] if head else NO_ID
        if not self.running:
            room = range(1, max(len(self.wal) - SHIFT - 32, 0) // FRAME + 1)
            begun = log_id == self.log_id != NO_ID and not any(self.frame(n, log_id) for n in room)
            need(not head or begun or log_id == self.spent_id != NO_ID, "a log of another state")
            return None, []
        need(head and log_id == self.log_id, "the log that the preamble names is not there")
        tags = [self.wal[SHIFT + 32 + n * FRAME - 16:][:16] for n in range(1, self.needed + 1)]
        need(not self.needed or self.digest == h(self.keys["wal"], "wal", *tags), "the needed frames")
        frames, log_id = [], head[32:48]
        while frame := self.frame(len(frames) + 1, log_id):
            frames.append(frame + bytes(OVERHEAD))
        need(len(frames) >= self.needed, "a needed frame")
        self.look_behind(head, len(frames) + 2, log_id)
        return head[:32], frames

    def look_behind(self, head, number, log_id):
        """The frame before `number` does not open: it was not there before, either."""
        before = None
        while SHIFT + 32 + number * FRAME <= len(self.wal):
            frame = self.frame(number, log_id)
            frame = frame and frame + bytes(OVERHEAD)
            if frame and before and commit_of(before):
                filler = commit_of(frame) and frame[:4] == before[:4]
                need(filler or not fits(head, sums_of(before), frame), f"a frame before {number}")
            before, number = frame, number + 1

    def database(self):
        """The whole database: each page from the log, as SQLite recovers it, or from its place."""
        head, frames = self.log()
        pages, size, waiting = {}, None, {}
        sums = head and struct.unpack(">2I", head[24:32])
        for frame in frames:
            if not fits(head, sums, frame):
                break
            sums = sums_of(frame)
            waiting[struct.unpack(">I", frame[:4])[0]] = frame[24:]
            if commit_of(frame):
                pages.update(waiting)
                size, waiting = commit_of(frame), {}
        if not self.needed:
            need((len(self.data) - PREAMBLE) % PAGE == 0, "a partial page")
        if size is None:
            first = self.page(1)
            need(first, "page 1")
            size, = struct.unpack(">I", first[28:32])
        for number in range(1, size + 1):
            page = pages.get(number) or self.page(number)
            need(page, f"page {number}")
            yield page[:18] + b"\1\1" + page[20:] if number == 1 else page


def commit_of(frame):
    """The size of the database where the frame ends a transaction, else 0."""
    return struct.unpack(">I", frame[4:8])[0]


def sums_of(frame):
    return struct.unpack(">2I", frame[16:24])


def fits(head, sums, frame):
    """Whether a frame goes on with SQLite's chain of checksums."""
    order = "<" if head[:4] == b"\x37\x7f\x06\x82" else ">"
    a, b = sums
    words = struct.unpack(f"{order}{2 + PAGE // 4}I", frame[:8] + frame[24:])
    for first, second in zip(words[::2], words[1::2]):
        a = (a + first + b) & 0xffffffff
        b = (b + second + a) & 0xffffffff
    return frame[8:16] == head[16:24] and (a, b) == sums_of(frame)


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
    need(db.execute("PRAGMA user_version").fetchone() == (6,), "the schema's version")
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
    check_erased(db)
    return counted


def check_erased(db):
    """In a documenter's log, what has no payload was withdrawn or purged; of what was withdrawn nothing is there."""
    rows = db.execute(
        "SELECT entry.bytes, payload.id, purged.entry, item.erased FROM entry "
        "JOIN log ON log.id = entry.id >> 40 LEFT JOIN item ON item.id = entry.item "
        "LEFT JOIN payload ON payload.id = entry.id LEFT JOIN purged ON purged.entry = entry.id "
        "WHERE log.state = ?", (OWN,)).fetchall()
    gone = {entry[12:28] for entry, *_ in rows if entry[2:4] == ERASURE}
    for entry, payload, purged, erased in rows:
        if entry[2:4] == ERASURE:
            continue
        need(payload is None or entry[12:28] not in gone, "what was withdrawn is here")
        need(entry[12:28] not in gone or erased, "the list shows what was withdrawn")
        need(payload is not None or purged is not None or erased, "a payload is lost")


def main(folder, out, key_file=None):
    line = sys.stdin.buffer.readline().rstrip(b"\n")
    store_key, store_id = open_keys(read(os.path.join(folder, "keys")), line,
                                    read(key_file) if key_file else None)
    files = Files(folder, store_key, store_id)
    plain = os.path.join(out, "plain.db")
    with open(plain, "wb") as file:
        file.writelines(files.database())
    db = sqlite3.connect(plain)
    counted = check_database(folder, db)
    db.close()
    counted["log"] = files.running
    json.dump(counted, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
