"""What keys from before open of a store as it is now, found out with the second reader's own functions.

    python3 old_keys.py BEFORE NOW OUT    the passphrase on standard input

BEFORE is a copy of the store made before `rekey`. Prints as JSON how many blocks of NOW's `data` and how many of
its media files there are, and how many open with a key that BEFORE holds.
"""
import json
import os
import sqlite3
import sys

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from store import CHUNK, KIND_PAGE, NO_ID, PAGE, PREAMBLE, Files, h, open_keys, read, u32, u64, unseal


def count_pages(data, store_key, store_id):
    """How many of how many pages and copies of the preamble open."""
    key, opened, pages = h(store_key, "page", store_id), 0, (len(data) - PREAMBLE) // PAGE
    for number in range(1, pages + 1):
        ad = u32(KIND_PAGE) + u32(1) + store_id + NO_ID + u64(number)
        opened += unseal(data[PREAMBLE + (number - 1) * PAGE:][:PAGE], ad, key) is not None
    key = h(store_key, "preamble", store_id)
    for copy in (0, 1):
        ad = u32(1) + u32(1) + store_id + NO_ID + u64(copy)
        opened += unseal(data[copy * 4096:][:512], ad, key) is not None
    return opened, pages + 2


def opens(chunk, last, subkey):
    try:
        sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(chunk, None, u64(0) + bytes([last]) + bytes(15), subkey)
        return True
    except CryptoError:
        return False


def count_media(folder, keys):
    """How many of how many media files begin with a chunk that opens, under any key with any name."""
    opened, names = 0, os.listdir(folder)
    old_names = [name for name, _ in keys]
    for name in names:
        chunk = read(os.path.join(folder, name))
        last = len(chunk) == CHUNK
        tries = [h(key, "media", bytes.fromhex(name)) for _, key in keys]
        tries += [h(key, "media", old) for _, key in keys for old in old_names]
        opened += any(opens(chunk[:CHUNK], last, subkey) for subkey in tries)
    return opened, len(names)


def main(before, now, out):
    line = sys.stdin.buffer.readline().rstrip(b"\n")
    store_key, store_id = open_keys(read(os.path.join(before, "keys")), line)
    plain = os.path.join(out, "plain.db")
    with open(plain, "wb") as file:
        file.writelines(Files(before, store_key, store_id).database())
    db = sqlite3.connect(plain)
    keys = db.execute("SELECT name, key FROM media").fetchall()
    db.close()
    data = read(os.path.join(now, "data"))
    answer = {"pages": count_pages(data, store_key, store_id),
              "media": count_media(os.path.join(now, "media"), keys)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
