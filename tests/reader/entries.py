"""The log's entries and the Merkle tree over them ("Entry")."""

import hashlib

from sealing import Cursor, FormatError, damaged, malformed

ENTRY_SIZE = 96
MARK = 1 << 31
TYPES = ("person", "case", "event", "testimony", "source", "consent", "link", "attachment", "erasure", "form",
         "continuation")
LINK, ATTACHMENT, ERASURE, FORM, CONTINUATION = 7, 8, 9, 10, 11
RECORD_TYPES = 6
ERASABLE_TYPES = 8
LOG_LIMIT = 1 << 40


class Entry:
    """One entry of 96 bytes, whatever stands in it."""

    def __init__(self, raw):
        if len(raw) != ENTRY_SIZE:
            raise damaged("an entry of another length")
        fields = Cursor(raw)
        self.raw = raw
        self.version = fields.number(2)
        self.type = fields.number(2)
        self.flags = fields.number(4)
        self.day = fields.number(4)
        self.id = fields.take(16)
        self.revision = fields.number(4)
        self.commitment = fields.take(32)
        self.previous = fields.take(32)

    @property
    def kind_of_item(self):
        """The type of the item that the entry speaks of: of an erasure, the type that it erases."""
        return self.flags & ~MARK if self.type == ERASURE else self.type

    @property
    def is_erasure(self):
        return self.type == ERASURE

    def check_table(self):
        """The rules of the table, of the entry read by itself."""
        if self.version != 1 or not 1 <= self.type <= len(TYPES):
            raise malformed("a version or type that there is not")
        flags = self.flags & ~MARK
        if self.is_erasure and not 1 <= flags <= ERASABLE_TYPES or not self.is_erasure and flags:
            raise malformed("flags")
        if self.revision == 0 or self.is_erasure and self.revision == 1:
            raise malformed("a revision that cannot be")
        if self.is_erasure and any(self.commitment):
            raise malformed("an erasure that commits to something")
        if (self.revision == 1) == any(self.previous):
            raise malformed("the revision before")

    @property
    def breaks_table(self):
        try:
            self.check_table()
        except FormatError:
            return True
        return False

    def leaf(self):
        return leaf_hash(self.raw)

    def leaf_without_mark(self):
        flags = (self.flags & ~MARK).to_bytes(4, "little")
        return leaf_hash(self.raw[:4] + flags + self.raw[8:])


def leaf_hash(raw):
    return hashlib.sha256(b"\0" + raw).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A tree known by its peaks, largest first, to which leaves are added."""

    def __init__(self, size=0, peaks=()):
        sizes = [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]
        self.peaks = list(zip(sizes, peaks))

    def add(self, leaf):
        size = 1
        while self.peaks and self.peaks[-1][0] == size:
            leaf = node_hash(self.peaks.pop()[1], leaf)
            size *= 2
        self.peaks.append((size, leaf))

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def roots_from(size, peaks, entries):
    """The root at `size` and behind each entry: {position: root}."""
    tree = Tree(size, peaks)
    roots = {size: tree.root()}
    for position, entry in enumerate(entries, size + 1):
        tree.add(entry.leaf())
        roots[position] = tree.root()
    return roots
