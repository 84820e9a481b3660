"""Frames, and the stream of payloads that they cut into pieces ("Frames", "Payload")."""

import struct
import zlib

from sealing import Cursor, damaged, keyed_hash, limit

FRAME_HEAD = 9
STORED, DEFLATED, END = 0, 1, 2
BLOCK = 1 << 20
PAYLOAD_HEAD = 48
TEXT_LIMIT, BODY_LIMIT = 8 << 20, 4000 << 20


class FrameHead:
    """The head of a frame, checked before any of its data is read."""

    def __init__(self, raw):
        self.codec, self.data_length, self.plain_length = struct.unpack("<BII", raw)
        if self.codec > END:
            raise damaged("a codec that there is not")
        if self.data_length > BLOCK or self.plain_length > BLOCK:
            raise limit("a frame that is too long")
        if self.is_end:
            if self.data_length or self.plain_length:
                raise damaged("an END with a length")
        elif not self.data_length or not self.plain_length:
            raise damaged("an empty frame")
        if self.codec == STORED and self.data_length != self.plain_length:
            raise damaged("a stored frame with two lengths")
        if self.codec == DEFLATED and self.data_length >= self.plain_length:
            raise damaged("a deflated frame that did not shrink")

    @property
    def is_end(self):
        return self.codec == END

    def plain(self, data):
        return data if self.codec == STORED else inflated(data, self.plain_length)


def inflated(data, plain_length):
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # One byte of room more than is wanted lets the stream come to its end, and shows one that is too long.
        plain = inflater.decompress(data, plain_length + 1)
    except zlib.error:
        raise damaged("a frame that does not inflate") from None
    if not inflater.eof or inflater.unused_data or len(plain) != plain_length:
        raise damaged("a frame that inflates to another length, or ends elsewhere")
    return plain


class PayloadStream:
    """The plain bytes of the frames, of which no more are read than are needed."""

    def __init__(self, source):
        self.source = source
        self.waiting = bytearray()
        self.ended = False

    def next_frame(self):
        head = FrameHead(self.source.take(FRAME_HEAD))
        if head.is_end:
            self.ended = True
        else:
            self.waiting += head.plain(self.source.take(head.data_length))

    def at_end(self):
        if not self.waiting and not self.ended:
            self.next_frame()
        return not self.waiting

    def take(self, count):
        while len(self.waiting) < count:
            if self.ended:
                raise damaged("END cuts a payload")
            self.next_frame()
        piece = bytes(self.waiting[:count])
        del self.waiting[:count]
        return piece


class PayloadHead:
    """The first 48 bytes of a payload."""

    def __init__(self, raw):
        fields = Cursor(raw)
        self.index = fields.number(4)
        self.salt = fields.take(32)
        self.text_length = fields.number(4)
        self.body_length = fields.number(8)

    @property
    def plain_bytes(self):
        return self.text_length + self.body_length

    @property
    def piece_lengths(self):
        return pieces(self.text_length) or [0], pieces(self.body_length)

    @property
    def block_count(self):
        return sum(len(part) for part in self.piece_lengths)

    def check(self, index_before, allowed):
        """That the index ascends, and that the lengths can be; `allowed` is what the manifest still allows."""
        if self.index <= index_before:
            raise damaged("indices that do not ascend")
        if self.text_length > TEXT_LIMIT or self.body_length > BODY_LIMIT:
            raise limit("a payload that is too long")
        if self.plain_bytes > allowed:
            raise damaged("more bytes than the manifest says")

    def commitment(self, entry, hashes):
        fields = struct.pack("<IQQ", entry.revision, self.text_length, self.body_length)
        return keyed_hash(self.salt, "commit", entry.id + fields + b"".join(hashes))


def pieces(length):
    whole, rest = divmod(length, BLOCK)
    return [BLOCK] * whole + ([rest] if rest else [])


def block_hash(salt, number, piece):
    return keyed_hash(salt, "block", struct.pack("<Q", number) + piece)


class Payload:
    """A payload that was read whole."""

    def __init__(self, head, blocks):
        self.head = head
        plain = b"".join(blocks)
        self.text, self.body = plain[:head.text_length], plain[head.text_length:]


class PayloadReader:
    """Reads payloads in their order and keeps count of what the manifest allows."""

    def __init__(self, stream, plain_bytes):
        self.stream = stream
        self.allowed = plain_bytes
        self.index_before = -1

    def heads(self):
        """Each head with its block hashes; the blocks are to be read before the next one is asked for."""
        while not self.stream.at_end():
            yield self.next_head()

    def next_head(self):
        head = PayloadHead(self.stream.take(PAYLOAD_HEAD))
        head.check(self.index_before, self.allowed)
        self.allowed -= head.plain_bytes
        self.index_before = head.index
        return head

    def hashes(self, head):
        return [self.stream.take(32) for _ in range(head.block_count)]

    def blocks(self, head):
        text, body = head.piece_lengths
        for length in text + body:
            yield self.stream.take(length)


def check_blocks(head, hashes, blocks):
    """Each block as it comes, once it is that of its hash."""
    for number, (wanted, piece) in enumerate(zip(hashes, blocks)):
        if block_hash(head.salt, number, piece) != wanted:
            raise damaged("a block that is not that of its hash")
        yield piece
