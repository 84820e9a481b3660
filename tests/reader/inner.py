"""The inner stream of a bundle: manifest, entries, frames, payloads."""
import hashlib
import zlib

from store import h, u32, u64
from volume import Cursor, Refusal, need

MIB = 1 << 20
ERASURE = 9

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


MARK = 1 << 31  # of an entry's flags: saved from damage without a proof


def unmarked(data):
    """An entry as the next revision names it."""
    return data[:7] + bytes([data[7] & 0x7f]) + data[8:]


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
    flags &= ~MARK
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
