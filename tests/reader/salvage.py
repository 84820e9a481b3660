"""What verifies of a damaged bundle: a volume with holes, frames that are lost, and the payloads between them
("Salvage").
"""

import bisect

from bundles import commits, counts_fit, read_beginning
from frames import FRAME_HEAD, PAYLOAD_HEAD, FrameHead, Payload, PayloadHead, block_hash, check_blocks
from sealing import HEADER_SIZE, FormatError, damaged, refused
from volume import CHUNK_PLAIN, CHUNK_SIZE, chunk_at, find_index, open_chunk, open_header

LEAST_LENGTH = 131072
CHUNKS_LIMIT = 65519


def read_salvaged(data, party, archive_id):
    """The bundle, with the payloads that can be had of it."""
    if len(data) < LEAST_LENGTH:
        raise damaged("too short to be salvaged")
    header = data[:HEADER_SIZE]
    found = find_index(party, header)
    if found.spent is not None:
        raise refused("another file spent this index")
    volume = open_header(party, found, header)
    stream = StreamWithHoles(volume.key, data)
    bundle = read_beginning(stream, volume, archive_id)
    PayloadSalvage(bundle, Segments(stream)).run()
    return bundle


class StreamWithHoles:
    """The inner stream, in which chunks that do not open are holes."""

    def __init__(self, key, data):
        self.plain = bytearray()
        self.holes = set()
        self.position = 0
        for index in range(min(len(data) // CHUNK_SIZE - 1, CHUNKS_LIMIT)):
            if self.add_chunk(key, index, chunk_at(data, index)):
                break

    def add_chunk(self, key, index, sealed):
        """Adds a chunk or a hole; whether it was the last one."""
        for last in (False, True):
            plain = open_chunk(key, index, last, sealed)
            if plain is not None:
                self.plain += plain
                return last
        self.plain += bytes(CHUNK_PLAIN)
        self.holes.add(index)
        return False

    def is_lost(self, start, end):
        """Whether these bytes touch a hole, or the end of the stream."""
        touched = range(start // CHUNK_PLAIN, (end - 1) // CHUNK_PLAIN + 1) if end > start else ()
        return end > len(self.plain) or any(index in self.holes for index in touched)

    def take(self, count):
        start, end = self.position, self.position + count
        if self.is_lost(start, end):
            raise damaged("manifest, signature or entries touch a hole")
        self.position = end
        return bytes(self.plain[start:end])

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def take_or_none(self, count):
        """The next bytes, or None where any of them is lost; they are passed over all the same."""
        start, end = self.position, self.position + count
        self.position = end
        return None if self.is_lost(start, end) else bytes(self.plain[start:end])


class Segments:
    """The stream of payloads, a segment for each frame: its plain bytes, or None where they are lost."""

    def __init__(self, stream):
        self.starts = []
        self.plains = []
        self.length = 0
        while self.add_frame(stream):
            pass

    def add_frame(self, stream):
        """Adds a frame; False where there is none."""
        raw = stream.take_or_none(FRAME_HEAD)
        if raw is None:
            return False
        try:
            head = FrameHead(raw)
        except FormatError:
            return False
        if head.is_end:
            return False
        self.starts.append(self.length)
        self.plains.append(plain_or_none(head, stream.take_or_none(head.data_length)))
        self.length += head.plain_length
        return True

    def segment_of(self, position):
        return bisect.bisect_right(self.starts, position) - 1

    def bytes_at(self, start, count):
        """These bytes, or None where one of them is lost or behind the end."""
        end = start + count
        if end > self.length:
            return None
        pieces = []
        while start < end:
            number = self.segment_of(start)
            plain = self.plains[number]
            if plain is None:
                return None
            offset = start - self.starts[number]
            pieces.append(plain[offset:offset + end - start])
            start += len(pieces[-1])
        return b"".join(pieces)


def plain_or_none(head, data):
    if data is None:
        return None
    try:
        return head.plain(data)
    except FormatError:
        return None


class PayloadSalvage:
    """Reads payloads one after the other, and finds the border of payloads again where it is lost."""

    def __init__(self, bundle, segments):
        self.bundle = bundle
        self.segments = segments
        self.allowed = bundle.manifest.plain_bytes
        self.index_before = -1
        self.heads = []
        self.passed_over = False

    def run(self):
        position = 0
        while position is not None and position < self.segments.length:
            head = self.head_at(position)
            position = self.next_border(position) if head is None else self.take_payload(position, head)
        if len(self.heads) > self.bundle.manifest.payloads:
            raise damaged("more payloads than the manifest says")
        self.bundle.lost_nothing = counts_fit(self.bundle.manifest, self.heads) and not self.passed_over

    def head_at(self, position):
        """A head that is there and can be, or None."""
        raw = self.segments.bytes_at(position, PAYLOAD_HEAD)
        return None if raw is None else self.head_of(raw)

    def head_of(self, raw):
        head = PayloadHead(raw)
        try:
            head.check(self.index_before, self.allowed)
        except FormatError:
            return None
        return head

    def next_border(self, position):
        """Where reading goes on when the head at `position` is lost, or None."""
        ends_in = self.segments.segment_of(position + PAYLOAD_HEAD - 1)
        for number in range(ends_in + 1, len(self.segments.starts)):
            plain = self.segments.plains[number]
            if plain is not None and self.begins_with_payload(plain):
                return self.segments.starts[number]
        return None

    def begins_with_payload(self, plain):
        if len(plain) < PAYLOAD_HEAD:
            return False
        head = self.head_of(plain[:PAYLOAD_HEAD])
        if head is None:
            return False
        start = PAYLOAD_HEAD + 32 * head.block_count
        text, _ = head.piece_lengths
        if len(plain) < start + text[0]:
            return False
        return block_hash(head.salt, 0, plain[start:start + text[0]]) == plain[PAYLOAD_HEAD:PAYLOAD_HEAD + 32]

    def take_payload(self, position, head):
        """Takes the payload, or passes it over; where the next one begins."""
        self.index_before = head.index
        hashes_at = position + PAYLOAD_HEAD
        blocks_at = hashes_at + 32 * head.block_count
        raw_hashes = self.segments.bytes_at(hashes_at, 32 * head.block_count)
        taken = False
        if raw_hashes is not None:
            self.allowed -= head.plain_bytes
            self.heads.append(head)
            hashes = [raw_hashes[i:i + 32] for i in range(0, len(raw_hashes), 32)]
            taken = self.take_blocks(head, hashes, self.segments.bytes_at(blocks_at, head.plain_bytes))
        self.passed_over = self.passed_over or not taken
        return blocks_at + head.plain_bytes

    def take_blocks(self, head, hashes, plain):
        entry = self.bundle.entry_at_index(head.index)
        if plain is None or entry is None:
            return False
        if commits(entry) and head.commitment(entry, hashes) != entry.commitment:
            return False
        try:
            blocks = list(check_blocks(head, hashes, blocks_of(head, plain)))
        except FormatError:
            return False
        self.bundle.keep(Payload(head, blocks))
        return True


def blocks_of(head, plain):
    text, body = head.piece_lengths
    start = 0
    for length in text + body:
        yield plain[start:start + length]
        start += length
