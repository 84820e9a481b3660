"""A second reader of a backup, written from sync/FORMAT.md alone ("Backup", "Continuation").

    python3 backup.py BACKUP OUT [test]    the passphrase on standard input

Opens the file, checks its length, and unpacks the store in it into the folder OUT, where store.py reads it.
With "test" the backup is of a store made for tests. It also checks what a continuation says: see
check_continuation().
"""
import os
import re
import sys

from nacl import bindings as sodium
from nacl.signing import VerifyKey

from store import CHUNK, CHUNK_PLAIN, h, need, padme, read, u64, unseal

NAMES = re.compile(r"keys|data|data-wal|media/[0-9a-f]{32}")


def open_header(whole, passphrase, test):
    memory, passes = (8, 1) if test else (262144, 3)
    key = sodium.crypto_pwhash_alg(32, passphrase, whole[:16], passes, memory * 1024,
                                   sodium.crypto_pwhash_ALG_ARGON2ID13)
    plain = unseal(whole[16:CHUNK], None, h(key, "backup"))
    need(plain is not None, "the header's seal")
    need(plain[:8] == bytes([1, 0, 0, 0, 1, 0, 0, 0]) and not any(plain[88:]), "the header")
    return plain[8:24], plain[24:56], plain[56:88]


def stream_of(whole, file_key):
    key, chunks = h(file_key, "backup data"), len(whole) // CHUNK - 1
    return b"".join(
        sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            whole[CHUNK * (j + 1):][:CHUNK], None, u64(j) + bytes([j == chunks - 1]) + bytes(15), key)
        for j in range(chunks))


def unpack(stream, out):
    """Writes the files; returns how many bytes of the stream they took."""
    at, names = 0, []
    os.makedirs(os.path.join(out, "media"))
    while True:
        length = int.from_bytes(stream[at:at + 2], "little")
        at += 2
        if length == 0:
            break
        name = stream[at:at + length].decode()
        at += length
        size = int.from_bytes(stream[at:at + 8], "little")
        at += 8
        need(NAMES.fullmatch(name) and name not in names, "the name of a file")
        names.append(name)
        with open(os.path.join(out, name), "wb") as file:
            file.write(stream[at:at + size])
        at += size
    need(not any(stream[at:]), "what stands behind the files")
    return at


def check_continuation(text, log_id, position):
    """Raises unless the words of a continuation are what a log's key has signed."""
    need(set(text) == {"recorded", "log", "continues", "sign", "dh", "size", "root", "signature"}, "members")
    log, old, sign, dh, root, signature = (bytes.fromhex(text[name]) for name in (
        "log", "continues", "sign", "dh", "root", "signature"))
    need(h(None, "log id", sign, dh) == old, "the keys of the old log")
    need((log == log_id) == (position == 0) and log != old, "which logs it speaks of")
    VerifyKey(sign).verify(b"skrynia continuation 1\0" + log + old + u64(text["size"]) + root, signature)


def main(path, out, test=""):
    passphrase = sys.stdin.buffer.readline().rstrip(b"\n")
    whole = read(path)
    need(len(whole) % CHUNK == 0 and len(whole) >= 262144, "the length")
    _, _, file_key = open_header(whole, passphrase, test == "test")
    used = unpack(stream_of(whole, file_key), out)
    least = CHUNK * (1 + (used + CHUNK_PLAIN - 1) // CHUNK_PLAIN)
    want = max(262144, (padme(least) + CHUNK - 1) // CHUNK * CHUNK)
    need(len(whole) == want, f"the length: {len(whole)}, not {want}")


if __name__ == "__main__":
    main(*sys.argv[1:])
