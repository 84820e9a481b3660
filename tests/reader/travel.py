"""A second reader of what travels, written from sync/FORMAT.md alone: volumes, bundles, receipts, invites.

Every check that fails raises Refusal with the name of the error's class. It shares no code with the
programs. vectors.py runs it over tests/vectors/bundle.
"""
import base64
import datetime
import hashlib
import json
import os
import re
import zlib

from nacl import bindings as sodium
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import VerifyKey

from store import h, leaf, padme, root, u32, u64

HEADER, CHUNK, PLAIN = 65536, 65536, 65520
MIB = 1 << 20
LEAST, GREATEST = 262144, 4293918720
ERASURE, CONTINUATION = 9, 11
RECORDS = {1: "person", 2: "case", 3: "event", 4: "testimony", 5: "source", 6: "consent"}
LINK, ATTACHMENT = 7, 8
FORMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "core", "forms")


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

        for index, keys in self.kept.items():
            if slot(keys[0]) is not None:
                return index, keys, slot(keys[0])
        for index, (tag_key, _) in self.spent.items():
            if slot(tag_key) is not None:
                return index, None, slot(tag_key)
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


def open_slot(header, slot, keys, scalar):
    """(file key, set id)"""
    _, mask_key, wrap_key = keys
    at, n0 = header[32 + 128 * slot:][:128], header[:32]
    point = xor(at[16:48], h(mask_key, "mask", n0))
    try:
        shared = sodium.crypto_scalarmult(scalar, point)
    except (CryptoError, RuntimeError):
        raise Refusal("damaged") from None
    need(any(shared))
    own = sodium.crypto_scalarmult_base(scalar)
    key = h(wrap_key, "wrap", n0, point, own, shared)
    try:
        plain = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(at[48:], n0 + at[:48], bytes(12), key)
    except CryptoError:
        raise Refusal("damaged") from None
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


# ---- notes ----

SPACES = re.compile(r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")


def base64_of(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refusal("damaged") from None
    need(base64.b64encode(data).decode() == text)
    return data


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def signatures_of(note):
    """(text, [(name, payload)])"""
    try:
        note = note.decode()
    except UnicodeDecodeError:
        raise Refusal("damaged") from None
    need(not re.search(r"[\0-\x09\x0b-\x1f]", note))
    at = note.rfind("\n\n")
    need(at > 0)
    text, lines = note[:at + 1], note[at + 2:].split("\n")
    need(lines.pop() == "" and 1 <= len(lines) <= 100)
    found = []
    for line in lines:
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014" and parts[1])
        need("+" not in parts[1] and not SPACES.search(parts[1]))
        payload = base64_of(parts[2])
        need(len(payload) > 4)
        found.append((parts[1], payload))
    return text, found


def note_text(note, name, key):
    """The text of a note that this key has signed under this name."""
    text, found = signatures_of(note)
    own = [payload for who, payload in found if who == name and payload[:4] == key_id(name, 1, key)]
    need(own)
    for payload in own:
        need(len(payload) == 68)
        verify(key, payload[4:], text.encode())
    return text


def check_cosigned(note, name, key):
    text, found = signatures_of(note)
    own = [payload for who, payload in found if who == name and payload[:4] == key_id(name, 4, key)]
    need(own)
    for payload in own:
        need(len(payload) == 76 and len(text.encode()) < 256)
        time = int.from_bytes(payload[4:12], "big")
        need(time < 1 << 63)
        verify(key, payload[12:], f"cosignature/v1\ntime {time}\n{text}".encode())


def decimal(text, bits=63):
    need(re.fullmatch(r"0|[1-9][0-9]*", text))
    need(int(text) < 1 << bits)
    return int(text)


def checkpoint(note, log_id, sign):
    """(size, root)"""
    origin = "skrynia/" + log_id.hex()
    lines = note_text(note, origin, sign).split("\n")
    need(len(lines) == 4 and lines[0] == origin and lines[3] == "")
    size, top = decimal(lines[1], 64), base64_of(lines[2])
    need(len(top) == 32)
    return size, top


# ---- manifest and entries ----

def read_manifest(data):
    need(len(data) <= 65536, "limit")
    need(len(data) >= 4 and data[:4] != bytes(4))
    need(data[:4] == u32(1), "config")
    need(len(data) >= 200 and data[7] == 0)

    def number(at, n):
        return int.from_bytes(data[at:at + n], "little")

    k, n, m, note = data[4], data[5], data[6], number(196, 4)
    need(n <= 16 and m <= 8 and note <= 1023, "limit")
    out = {"k": k, "n": n, "sign": data[8:40], "dh": data[40:72], "set_id": data[72:88],
           "number": number(88, 8), "n0": number(96, 8), "n1": number(104, 8), "root": data[112:144],
           "payloads": number(144, 8), "plain_bytes": number(152, 8), "indices": data[160:192],
           "day": number(192, 4)}
    need(out["number"] < 1 << 63 and out["n1"] <= 1 << 40 and out["plain_bytes"] <= 1 << 36, "limit")
    need(out["number"] > 0 and out["n0"] < out["n1"])
    need(out["n1"] - out["n0"] <= 1 << 20, "limit")
    need(out["payloads"] <= out["n1"] - out["n0"] and (out["payloads"] or not out["plain_bytes"]))
    peaks = bin(out["n0"]).count("1")
    need(len(data) == 200 + 32 * (n + m + peaks) + note)
    hashes = [data[200 + 32 * i:][:32] for i in range(n + m + peaks)]
    text = data[len(data) - note:]
    need(note and 0 not in text)
    need(1 <= k <= n and m >= 1)
    recipients = hashes[n:n + m]
    need(all(a < b for a, b in zip(recipients, recipients[1:])))
    out.update(header_hashes=hashes[:n], recipients=recipients, peaks=hashes[n + m:], checkpoint=text)
    return out


def read_entry(data):
    """The fields, or None for what is kept and marked."""
    cursor = Cursor(data)
    version, kind, flags, day = (cursor.number(n) for n in (2, 2, 4, 4))
    out = {"type": kind, "flags": flags, "day": day, "id": cursor.take(16),
           "revision": cursor.number(4), "commitment": cursor.take(32), "previous": cursor.take(32)}
    if version != 1 or not 1 <= kind <= 11 or out["revision"] == 0:
        return None
    if (out["revision"] == 1) != (not any(out["previous"])):
        return None
    if kind != ERASURE:
        return out if flags == 0 else None
    right = 1 <= flags <= 8 and out["revision"] > 1 and not any(out["commitment"])
    return out if right else None


def grown(n0, peaks, leaves):
    """Roots of a log at n0 and behind each leaf, from its peaks."""
    stack = list(zip([bit for bit in range(63, -1, -1) if n0 >> bit & 1], peaks))

    def top():
        result = None
        for _, peak in reversed(stack):
            result = peak if result is None else hashlib.sha256(b"\1" + peak + result).digest()
        return result or hashlib.sha256(b"").digest()

    roots = [top()]
    for one in leaves:
        stack.append((0, one))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (level, right), (_, left) = stack.pop(), stack.pop()
            stack.append((level + 1, hashlib.sha256(b"\1" + left + right).digest()))
        roots.append(top())
    return roots


# ---- frames and payloads ----

def inflate(data, plain_length):
    engine = zlib.decompressobj(-15)
    try:
        plain = engine.decompress(data, plain_length + 1)
    except zlib.error:
        raise Refusal("damaged") from None
    need(engine.eof and not engine.unused_data and not engine.unconsumed_tail)
    need(len(plain) == plain_length)
    return plain


class Frames:
    """The stream of payloads."""

    def __init__(self, inner):
        self.inner, self.plain, self.ended = inner, b"", False

    def load(self):
        codec, data, plain = (self.inner.number(n) for n in (1, 4, 4))
        need(codec <= 2)
        need(data <= MIB and plain <= MIB, "limit")
        if codec == 2:
            need(data == 0 and plain == 0)
            self.ended = True
        elif codec == 0:
            need(0 < data == plain)
            self.plain += self.inner.take(data)
        else:
            need(0 < data < plain)
            self.plain += inflate(self.inner.take(data), plain)

    def more(self):
        if not self.plain and not self.ended:
            self.load()
        return bool(self.plain)

    def take(self, n):
        while len(self.plain) < n and not self.ended:
            self.load()
        need(len(self.plain) >= n)
        out, self.plain = self.plain[:n], self.plain[n:]
        return out


def block_lengths(text, body):
    out = [min(MIB, text - at) for at in range(0, text, MIB)] or [0]
    return out, [min(MIB, body - at) for at in range(0, body, MIB)]


def read_payloads(inner, left, entry_of):
    """Yields (index, salt, text, body, hashes); entry_of(index) gives the fields or None."""
    frames, last = Frames(inner), -1
    while frames.more():
        head = Cursor(frames.take(48))
        index, salt, text_length, body_length = (head.number(4), head.take(32), head.number(4),
                                                 head.number(8))
        need(index > last)
        need(text_length <= 8 * MIB and body_length <= 4000 * MIB, "limit")
        need(text_length + body_length <= left)
        last, left = index, left - text_length - body_length
        texts, bodies = block_lengths(text_length, body_length)
        hashes = [frames.take(32) for _ in texts + bodies]
        entry = entry_of(index)
        if entry:
            need(entry["commitment"] == h(salt, "commit", entry["id"], u32(entry["revision"]),
                                          u64(text_length), u64(body_length), *hashes))
        blocks = []
        for j, length in enumerate(texts + bodies):
            blocks.append(frames.take(length))
            need(entry_of is ANY or h(salt, "block", u64(j), blocks[-1]) == hashes[j])
        yield index, salt, b"".join(blocks[:len(texts)]), b"".join(blocks[len(texts):]), hashes


def ANY(_):
    """No entry is known: neither commitments nor blocks are looked at."""


# ---- texts ----

def unique(pairs):
    names = [name for name, _ in pairs]
    need(len(set(names)) == len(names))
    return dict(pairs)


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings_of(item)


def depth_of(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(depth_of, inside), default=0)


def not_a_number(_):
    raise Refusal("damaged")


def fit_integer(digits):
    need(-1 << 63 <= int(digits) < 1 << 63)
    return int(digits)


def fit_real(digits):
    need(float(digits) not in (float("inf"), float("-inf")))
    return float(digits)


def read_json(text):
    try:
        value = json.loads(text.decode(), object_pairs_hook=unique, parse_constant=not_a_number,
                           parse_int=fit_integer, parse_float=fit_real)
        for string in strings_of(value):
            string.encode()
            need("\0" not in string)
    except ValueError:
        raise Refusal("damaged") from None
    need(depth_of(value) <= 32)
    return value


MEMBERS = {LINK: {"recorded", "source", "role", "target"},
           ATTACHMENT: {"recorded", "record", "name", "type", "size", "sha256"},
           CONTINUATION: {"recorded", "log", "continues", "sign", "dh", "size", "root", "signature"}}
ID = re.compile(r"[0-9a-fA-F]{32}")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-](0\d|1[0-4]):[0-5]\d)",
                  re.ASCII)


def check_time(text):
    match = isinstance(text, str) and TIME.fullmatch(text)
    need(match)
    try:
        day = datetime.date.fromisoformat(match.group(1))
    except ValueError:
        raise Refusal("damaged") from None
    need(1800 <= day.year <= 2199 and not re.search(r"[+-]14:(?!00)", match.group(4)))


def matches(pattern, text):
    return isinstance(text, str) and re.fullmatch(pattern, text) is not None


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def check_attachment(value, body_length, body):
    need(matches(ID, value["record"]) and isinstance(value["type"], str))
    name = value["name"]
    need(isinstance(name, str) and name not in ("", ".", "..") and "/" not in name)
    need(len(name.encode()) <= 1024)
    need(whole(value["size"]) and value["size"] == body_length)
    need(matches("[0-9a-f]{64}", value["sha256"]))
    need(body is None or hashlib.sha256(body).hexdigest() == value["sha256"])


def check_continuation(value):
    data = {}
    for name, length in (("log", 32), ("continues", 32), ("sign", 32), ("dh", 32), ("root", 32),
                         ("signature", 64)):
        need(matches("[0-9a-f]{%d}" % (2 * length), value[name]))
        data[name] = bytes.fromhex(value[name])
    need(whole(value["size"]) and 0 <= value["size"] <= 1 << 40)
    need(h(None, "log id", data["sign"], data["dh"]) == data["continues"])
    verify(data["sign"], data["signature"], b"skrynia continuation 1\0" + data["log"] +
           data["continues"] + u64(value["size"]) + data["root"])


def check_fields(name, version, fields):
    """The names of a form's fields; their values are not looked at."""
    with open(os.path.join(FORMS, name + ".json"), encoding="utf-8") as file:
        form = json.load(file)
    need(whole(version) and 1 <= version <= form["version"] and isinstance(fields, dict))
    need(set(fields) <= {field["name"] for field in form["fields"]})
    need(all(field["name"] in fields for field in form["fields"] if field.get("required")))


def check_text(kind, text, body_length, body=None):
    """The members of a payload's text; raises what `malformed` stands for."""
    value = read_json(text)
    need(kind == ATTACHMENT or body_length == 0)
    need(isinstance(value, dict))
    need(set(value) == MEMBERS.get(kind, {"form", "version", "recorded", "fields"}))
    check_time(value["recorded"])
    if kind in RECORDS:
        need(value["form"] == RECORDS[kind])
        check_fields(value["form"], value["version"], value["fields"])
    elif kind == LINK:
        need(matches(r"[a-z0-9][a-z0-9-]{0,39}", value["role"]))
        need(matches(ID, value["source"]) and matches(ID, value["target"]))
    elif kind == ATTACHMENT:
        check_attachment(value, body_length, body)
    else:
        check_continuation(value)
    return value


# ---- bundles ----

class Log:
    """What an archive holds of one log."""

    def __init__(self, state):
        self.state = state
        self.entries, self.payloads, self.roots, self.malformed, self.erased = {}, {}, {}, set(), set()

    def size(self):
        size = 0
        while size in self.entries:
            size += 1
        return size

    def gaps(self):
        out, start = [], 0
        for position in sorted(self.entries):
            if position > start:
                out.append([start, position])
            start = position + 1
        return out

    def head(self, position):
        """The root at a position, where it is held."""
        if position <= self.size():
            return root([leaf(self.entries[i]) for i in range(position)])
        return self.roots.get(position)


class Archive:
    """Reads bundles of one device that it has invited."""

    def __init__(self, scalar, psk, sign):
        self.scalar = scalar
        self.id = h(None, "archive id", sign, sodium.crypto_scalarmult_base(scalar))
        self.chain, self.logs, self.seen = Chain(psk), {}, {}

    def read(self, data):
        need(length_possible(len(data)))
        found = self.chain.find(data[:HEADER])
        need(found, "refused")
        index, keys, slot = found
        file_hash = h(None, "file", data)
        if not keys:
            need(self.chain.spent[index][1] == file_hash, "refused")
            return self.known(index)
        inner, header_hash, set_id = open_volume(data, slot, keys, self.scalar)
        bundle = Bundle(inner, header_hash, set_id, self.id)
        result = self.take(bundle)
        self.chain.spend(index, file_hash)
        self.seen[index] = bundle, result["waiting"]
        return result

    def result(self, bundle, log, **more):
        out = {"bundle": bundle.manifest["number"], "new": 0, "known": 0, "known_file": False,
               "waiting": False, "fork": log.state == "frozen", "gaps": log.gaps()}
        out.update(more)
        return out

    def known(self, index):
        bundle, waiting = self.seen[index]
        manifest = bundle.manifest
        known = 0 if waiting else manifest["n1"] - manifest["n0"]
        return self.result(bundle, self.logs[bundle.log_id], known_file=True, waiting=waiting, known=known)

    def take(self, bundle):
        log = self.logs.get(bundle.log_id) or Log("waiting" if self.logs else "enrolled")
        waiting = log.state != "enrolled"
        bundle.finish()
        if not waiting and bundle.forks(log):
            log.state, waiting = "frozen", True
        self.logs[bundle.log_id] = log
        if waiting:
            return self.result(bundle, log, waiting=True)
        new, known = bundle.keep(log)
        return self.result(bundle, log, new=new, known=known)


class Bundle:
    """One inner stream, verified from its first byte to its last."""

    def __init__(self, inner, header_hash, set_id, archive_id):
        length = inner.number(4)
        need(0 < length <= 65536, "limit")
        encoded, signature = inner.take(length), inner.take(64)
        self.inner, self.manifest = inner, read_manifest(encoded)
        manifest = self.manifest
        verify(manifest["sign"], signature, b"skrynia bundle 1\0" + encoded)
        need(manifest["k"] == 1 and manifest["n"] == 1, "config")
        need(manifest["header_hashes"] == [header_hash] and manifest["set_id"] == set_id)
        need(archive_id in manifest["recipients"], "refused")
        self.log_id = h(None, "log id", manifest["sign"], manifest["dh"])
        need(checkpoint(manifest["checkpoint"], self.log_id, manifest["sign"]) ==
             (manifest["n1"], manifest["root"]))
        count = manifest["n1"] - manifest["n0"]
        self.entries = [inner.take(96) for _ in range(count)]
        self.roots = grown(manifest["n0"], manifest["peaks"], map(leaf, self.entries))
        need(self.roots[-1] == manifest["root"])
        self.payloads = {}

    def committed(self, index):
        need(index < len(self.entries))
        entry = read_entry(self.entries[index])
        return entry if entry and entry["type"] != ERASURE else None

    def finish(self):
        manifest, bytes_read, indices = self.manifest, 0, []
        for index, _, text, body, _ in read_payloads(self.inner, manifest["plain_bytes"], self.committed):
            indices.append(index)
            need(len(indices) <= manifest["payloads"])
            bytes_read += len(text) + len(body)
            if self.committed(index):
                self.payloads[index] = text, body
        need(len(indices) == manifest["payloads"] and bytes_read == manifest["plain_bytes"])
        need(manifest["indices"] == h(None, "indices", *map(u32, indices)))
        end_of_volume(self.inner)

    def forks(self, log):
        for i, top in enumerate(self.roots):
            held = log.head(self.manifest["n0"] + i)
            if held is not None and held != top:
                return True
        return any(log.entries.get(self.manifest["n0"] + i, entry) != entry
                   for i, entry in enumerate(self.entries))

    def keep(self, log):
        """(new, known)"""
        n0, new = self.manifest["n0"], 0
        for at in (0, len(self.entries)):
            log.roots[n0 + at] = self.roots[at]
        for i, data in enumerate(self.entries):
            if n0 + i not in log.entries:
                new += 1
                log.entries[n0 + i] = data
        for index, payload in self.payloads.items():
            log.payloads.setdefault(n0 + index, payload)
        settle(log)
        return new, len(self.entries) - new


def settle(log):
    """What of a log is marked, and what is erased."""
    fields = {position: read_entry(data) for position, data in sorted(log.entries.items())}
    before = {}
    for position, entry in fields.items():
        if not entry:
            log.malformed.add(position)
            continue
        earlier = before.get(entry["id"])
        if earlier is not None and entry["revision"] == fields[earlier]["revision"] + 1 and \
                entry["previous"] != leaf(log.entries[earlier]):
            log.malformed.add(position)
        before[entry["id"]] = position
        if entry["type"] == ERASURE:
            log.erased.add(entry["id"])
    types = {}
    for position in sorted(log.payloads):
        entry, (text, body) = fields[position], log.payloads[position]
        if types.setdefault(entry["id"], entry["type"]) != entry["type"]:
            log.malformed.add(position)
        if entry["id"] in log.erased:
            del log.payloads[position]
            continue
        try:
            check_text(entry["type"], text, len(body), body)
        except Refusal:
            log.malformed.add(position)


# ---- receipts ----

HIDDEN = """0-1F 7F-9F AD 600-605 61C 6DD 70F 890-891 8E2 180E 200B-200F 2028-202E 2060-206F D800-DFFF
    FDD0-FDEF FEFF FFF0-FFFB 110BD 110CD 13430-1343F 1BCA0-1BCA3 1D173-1D17A E0000-E00FF E01F0-E0FFF"""
SPANS = [(int(span.split("-")[0], 16), int(span.split("-")[-1], 16)) for span in HIDDEN.split()]


def shown(text):
    """Whether words can be shown as they are."""
    return not any(ord(c) & 0xfffe == 0xfffe or any(a <= ord(c) <= b for a, b in SPANS) for c in text)


def day_of(text):
    need(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII))
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise Refusal("damaged") from None
    need(day.year >= 1970)
    return (day - datetime.date(1970, 1, 1)).days


def root_of(text):
    data = base64_of(text)
    need(len(data) == 32)
    return data


def hex_of(text):
    need(re.fullmatch("[0-9a-f]{64}", text))
    return bytes.fromhex(text)


FIRST = (("archive", hex_of), ("log", hex_of), ("number", decimal), ("day", day_of), ("size", decimal),
         ("root", root_of))
REMARKS = {"quarantined": 3, "malformed": 1, "notice": 0}


def read_receipt_text(data):
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise Refusal("damaged") from None
    need(lines.pop() == "" and len(lines) >= 7 and lines[0] == "skrynia receipt 1")
    out = {"stored": [], "wanted": [], "remarks": [0, 0, 0]}
    for line, (word, read) in zip(lines[1:7], FIRST):
        need(line.startswith(word + " "))
        out[word] = read(line[len(word) + 1:])
    need(out["number"] > 0)
    last, order = -1, ["stored", "wanted", *REMARKS]
    for line in lines[7:]:
        word, _, rest = line.partition(" ")
        need(word in order and order.index(word) >= last and line != word)
        last = order.index(word)
        read_line(out, word, rest)
    return out


def read_line(out, word, rest):
    if word in REMARKS:
        parts = rest.split(" ", REMARKS[word])
        need(len(parts) == REMARKS[word] + 1)
        for part in parts[:-1]:
            decimal(part)
        need(shown(parts[-1]))
        which = list(REMARKS).index(word)
        out["remarks"][which] += 1
        need(out["remarks"][which] <= 1000)
        return
    parts = rest.split(" ")
    need(len(parts) == (3 if word == "stored" else 2))
    start, end = decimal(parts[0]), decimal(parts[1])
    need(start < end and (not out[word] or start > out[word][-1][1]) and len(out[word]) < 1000)
    out[word].append([start, end] + ([root_of(parts[2])] if word == "stored" else []))


class Device:
    """Reads the receipts of one archive that has invited it."""

    def __init__(self, scalar, sign, psk, archive_sign, archive_dh, entries):
        self.scalar, self.sign = scalar, sign
        self.log_id = h(None, "log id", sign, sodium.crypto_scalarmult_base(scalar))
        self.archive_sign = archive_sign
        self.archive_id = h(None, "archive id", archive_sign, archive_dh)
        self.chain = Chain(subkey(psk, 5))
        self.leaves = [leaf(entry) for entry in entries]
        self.number, self.acknowledged, self.wanted = 0, set(), set()

    def read(self, data):
        need(length_possible(len(data)))
        found = self.chain.find(data[:HEADER])
        need(found, "refused")
        index, keys, slot = found
        file_hash = h(None, "file", data)
        if not keys:
            need(self.chain.spent[index][1] == file_hash, "refused")
            return self.result(0, 0, True, False)
        inner, _, _ = open_volume(data, slot, keys, self.scalar)
        parts = []
        for _ in range(2):
            length = inner.number(4)
            need(length <= MIB, "limit")
            parts.append(inner.take(length))
        end_of_volume(inner)
        name = "skrynia-archive/" + self.archive_id.hex()
        receipt = read_receipt_text(note_text(parts[0], name, self.archive_sign).encode())
        need(receipt["archive"] == self.archive_id and receipt["log"] == self.log_id, "refused")
        if parts[1]:
            check_cosigned(parts[1], name, self.archive_sign)
            checkpoint(parts[1], self.log_id, self.sign)
        result = self.compare(receipt)
        if not result["older"] and not result["rollback"]:
            self.chain.spend(index, file_hash)
        return result

    def result(self, number, size, older, rollback):
        return {"number": number, "size": size, "acknowledged": len(self.acknowledged),
                "wanted": len(self.wanted), "older": older, "rollback": rollback}

    def compare(self, receipt):
        own = len(self.leaves)
        heads = [(receipt["size"], receipt["root"])] + [(to, top) for _, to, top in receipt["stored"]]
        same = all(size <= own and root(self.leaves[:size]) == top for size, top in heads)
        older = receipt["number"] <= self.number
        if same and not older:
            self.number = receipt["number"]
            self.acknowledged.update(*(range(start, to) for start, to, _ in receipt["stored"]))
            self.wanted = {position for start, to in receipt["wanted"]
                           for position in range(start, min(to, own))}
        return self.result(receipt["number"], receipt["size"], older, not same)


# ---- invites ----

def read_name(field):
    length, rest = field[0], field[1:]
    need(1 <= length <= 100 and not any(rest[length:]) and 0 not in rest[:length])
    try:
        text = rest[:length].decode()
    except UnicodeDecodeError:
        raise Refusal("damaged") from None
    need(shown(text))
    return text


def read_invite(plain):
    version = int.from_bytes(plain[:4], "little")
    need(version <= 1, "config")
    need(version == 1)
    sign = plain[36:68]
    verify(sign, plain[302:366], b"skrynia invite 1\0" + plain[:302])
    need(not any(plain[366:]))
    return {"dh": plain[4:36], "sign": sign, "psk": plain[68:100], "name": read_name(plain[100:201]),
            "alias": read_name(plain[201:302])}


def open_invite(data, words):
    need(len(data) == 4096)
    line = " ".join(re.split("[ \t\r\n-]+", words.strip(" \t\r\n-"))).encode().lower()
    slow = sodium.crypto_pwhash_alg(32, line, data[:16], 3, 262144 * 1024,
                                    sodium.crypto_pwhash_ALG_ARGON2ID13)
    try:
        plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            data[16:4056] + data[4080:], None, data[4056:4080], h(slow, "invite"))
    except CryptoError:
        raise Refusal("wrong_key") from None
    return read_invite(plain)
