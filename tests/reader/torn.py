"""What is left of a damaged bundle: sync/FORMAT.md, "Salvage"."""
from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from inner import MIB, block_lengths, inflate
from store import h, u32, u64
from volume import CHUNK, HEADER, PLAIN, Broken, Cursor, Refusal, need, open_slot


class Torn:
    """The inner stream with its holes."""

    def __init__(self, whole, slot, keys, scalar):
        header = whole[:HEADER]
        file_key, self.set_id = open_slot(header, slot, keys, scalar)
        need(header[65504:] == h(h(file_key, "header key", header[:32]), "header", header[:65504]))
        self.header_hash = h(None, "header hash", header)
        key = h(file_key, "volume", b"\0", self.header_hash)
        self.chunks = []
        for j in range(min(len(whole) // CHUNK - 1, 65519)):
            sealed = whole[HEADER + CHUNK * j:][:CHUNK]
            plain, last = self.open(sealed, key, j)
            self.chunks.append(plain)
            if last:
                break
        self.at = 0

    @staticmethod
    def open(sealed, key, j):
        for last in (0, 1):
            nonce = u64(j) + bytes([last]) + bytes(15)
            try:
                return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, None, nonce, key), last
            except CryptoError:
                pass
        return None, 0

    def beginning(self):
        """All before the first hole."""
        good = []
        for chunk in self.chunks:
            if chunk is None:
                break
            good.append(chunk)
        return Broken(b"".join(good))

    def take(self, n):
        """n bytes, None where some are lost; EOFError where there are no more."""
        if self.at + n > PLAIN * len(self.chunks):
            raise EOFError
        first, behind = self.at // PLAIN, (self.at + n - 1) // PLAIN + 1
        pieces, start = self.chunks[first:behind], self.at - first * PLAIN
        self.at += n
        return None if None in pieces else b"".join(pieces)[start:start + n]


def frames(torn):
    """The plain bytes of each frame, or for a lost one their number."""
    while True:
        try:
            head = torn.take(9)
            if head is None or head[0] > 1:
                return
            codec, data, plain = (Cursor(head).number(1), int.from_bytes(head[1:5], "little"),
                                  int.from_bytes(head[5:], "little"))
            if not 0 < data <= MIB or not 0 < plain <= MIB or not (data == plain if codec == 0 else data < plain):
                return
            try:
                content = torn.take(data)
            except EOFError:
                yield plain
                return
        except EOFError:
            return
        try:
            yield plain if content is None else content if codec == 0 else inflate(content, plain)
        except Refusal:
            yield plain


class Payloads:
    """The stream of payloads: frames are loaded as they are needed."""

    def __init__(self, torn, left):
        self.frames, self.frame, self.at = frames(torn), b"", 0
        self.left, self.last, self.ended = left, -1, False

    def size(self):
        return self.frame if isinstance(self.frame, int) else len(self.frame)

    def load(self):
        self.frame, self.at = next(self.frames, None), 0
        if self.frame is None:
            self.frame, self.ended = b"", True

    def take(self, n):
        """n bytes, None where some are lost."""
        out = b""
        while n > 0:
            if self.at == self.size():
                if self.ended:
                    return None
                self.load()
                continue
            part = min(n, self.size() - self.at)
            if out is not None:
                out = None if isinstance(self.frame, int) else out + self.frame[self.at:self.at + part]
            self.at += part
            n -= part
        return out

    def head(self, data):
        """(index, salt, text, body) if it can be."""
        cursor = Cursor(data)
        head = cursor.number(4), cursor.take(32), cursor.number(4), cursor.number(8)
        good = (head[0] > self.last and head[2] <= 8 * MIB and head[3] <= 4000 * MIB and
                head[2] + head[3] <= self.left)
        return head if good else None

    def begins_here(self):
        if isinstance(self.frame, int) or len(self.frame) < 48:
            return False
        head = self.head(self.frame[:48])
        if not head:
            return False
        texts, bodies = block_lengths(head[2], head[3])
        start = 48 + 32 * len(texts + bodies)
        first = self.frame[start:start + texts[0]]
        return (start + texts[0] <= len(self.frame) and
                h(head[1], "block", u64(0), first) == self.frame[48:80])

    def each(self):
        """(index, salt, lengths, hashes, blocks); a lost part is None, and so is every block behind it."""
        while True:
            if self.at == self.size() and not self.ended:
                self.load()
            if self.ended and self.at == self.size():
                return
            data = self.take(48)
            head = self.head(data) if data else None
            if not head:
                self.load()
                while not self.ended and not self.begins_here():
                    self.load()
                continue
            index, salt, text, body = head
            self.last = index
            texts, bodies = block_lengths(text, body)
            hashes = self.take(32 * len(texts + bodies))
            if hashes is None:
                self.take(text + body)
                continue
            self.left -= text + body
            yield index, salt, text, body, hashes, [self.take(n) for n in texts + bodies]


def read(torn, manifest, entry_of):
    """(payloads by index, whether none is lost)"""
    out, indices, total, lost = {}, [], 0, False
    for index, salt, text, body, hashes, blocks in Payloads(torn, manifest["plain_bytes"]).each():
        indices.append(index)
        need(len(indices) <= manifest["payloads"])
        total += text + body
        try:
            entry = entry_of(index)
        except Refusal:
            lost = True
            continue
        good = not entry or entry["commitment"] == h(
            salt, "commit", entry["id"], u32(entry["revision"]), u64(text), u64(body), hashes)
        good = good and all(block is not None and h(salt, "block", u64(j), block) == hashes[32 * j:][:32]
                            for j, block in enumerate(blocks))
        lost = lost or not good
        if good and entry:
            whole = b"".join(blocks)
            out[index] = whole[:text], whole[text:]
    fits = (len(indices) == manifest["payloads"] and total == manifest["plain_bytes"] and
            manifest["indices"] == h(None, "indices", *map(u32, indices)))
    return out, fits and not lost
