"""A bundle from within: its manifest, its entries and its payloads, each checked before it is used ("Inner stream of a
bundle", "Manifest").
"""

from entries import ENTRY_SIZE, LOG_LIMIT, Entry, roots_from
from frames import Payload, PayloadReader, PayloadStream, check_blocks
from notes import verify_checkpoint
from sealing import NO_KEY, Cursor, config, damaged, keyed_hash, limit, log_id, refused, signature_is_right

MANIFEST_CONTEXT = b"skrynia bundle 1\0"
MANIFEST_LIMIT = 65536
MANIFEST_FIXED = 200
VOLUMES_LIMIT, RECIPIENTS_LIMIT, CHECKPOINT_LIMIT = 16, 8, 1023
NUMBER_LIMIT, PLAIN_LIMIT, ENTRIES_LIMIT = (1 << 63) - 1, 1 << 36, 1 << 20


class Manifest:
    """A manifest that passed every check up to its signature."""

    def __init__(self, raw):
        self.raw = raw
        self.check_version(raw)
        if len(raw) < MANIFEST_FIXED or raw[7]:
            raise damaged("a manifest that is too short, or byte 7")
        fields = Cursor(raw)
        fields.take(4)
        self.k, self.n, self.m, _ = fields.take(4)
        self.sign, self.dh, self.set_id = fields.take(32), fields.take(32), fields.take(16)
        self.number, self.n0, self.n1 = (fields.number(8) for _ in range(3))
        self.root = fields.take(32)
        self.payloads, self.plain_bytes = fields.number(8), fields.number(8)
        self.indices = fields.take(32)
        self.day, self.checkpoint_length = fields.number(4), fields.number(4)
        self.check_numbers()
        self.read_parts(fields)

    @staticmethod
    def check_version(raw):
        if len(raw) > MANIFEST_LIMIT:
            raise limit("a manifest that is too long")
        version = Cursor(raw).number(4)
        if version == 0:
            raise damaged("version 0")
        if version > 1:
            raise config("a manifest of a newer version")

    def check_numbers(self):
        if self.n > VOLUMES_LIMIT or self.m > RECIPIENTS_LIMIT or self.checkpoint_length > CHECKPOINT_LIMIT:
            raise limit("volumes, recipients or checkpoint")
        if self.number > NUMBER_LIMIT or self.n1 >= LOG_LIMIT or self.plain_bytes > PLAIN_LIMIT:
            raise limit("number, n1 or plain bytes")
        if self.number == 0 or self.n0 >= self.n1:
            raise damaged("number 0, or no entries")
        if self.n1 - self.n0 > ENTRIES_LIMIT:
            raise limit("too many entries")
        if self.payloads > self.n1 - self.n0 or self.plain_bytes and not self.payloads:
            raise damaged("more payloads than entries, or bytes without a payload")

    def read_parts(self, fields):
        peaks = self.n0.bit_count()
        parts = 32 * (self.n + self.m + peaks) + self.checkpoint_length
        if len(self.raw) != MANIFEST_FIXED + parts:
            raise damaged("another length than the parts give")
        self.header_hashes = [fields.take(32) for _ in range(self.n)]
        self.recipients = [fields.take(32) for _ in range(self.m)]
        self.peaks = [fields.take(32) for _ in range(peaks)]
        self.checkpoint = fields.take(self.checkpoint_length)
        if not self.checkpoint or 0 in self.checkpoint:
            raise damaged("the checkpoint")
        if self.k == 0 or self.k > self.n or self.m == 0:
            raise damaged("k or m")
        if any(a >= b for a, b in zip(self.recipients, self.recipients[1:])):
            raise damaged("recipients that do not ascend")

    @property
    def log_id(self):
        return log_id(self.sign, self.dh)

    def check_signature(self, signature):
        if not signature_is_right(self.sign, MANIFEST_CONTEXT + self.raw, signature):
            raise damaged("the manifest's signature")

    def check_volume(self, volume, reader_id):
        """What is looked at behind the signature, but for the checkpoint."""
        if (self.k, self.n) != (1, 1):
            raise config("a set of several volumes")
        if self.header_hashes[0] != volume.header_hash or self.set_id != volume.set_id:
            raise damaged("a manifest of another volume")
        if reader_id not in self.recipients:
            raise refused("it was wrapped anew")


def indices_hash(indices):
    return keyed_hash(NO_KEY, "indices", b"".join(index.to_bytes(4, "little") for index in indices))


class Bundle:
    """What a bundle brings: its manifest and entries, the root at each position from n0 to n1, and its payloads by
    position."""

    def __init__(self, manifest, entries, roots):
        self.manifest = manifest
        self.log_id = manifest.log_id
        self.entries = entries
        self.roots = roots
        self.payloads = {}
        self.lost_nothing = True

    def entry_at_index(self, index):
        return self.entries[index] if index < len(self.entries) else None

    def keep(self, payload):
        """Notes a payload, unless its entry is one that has none: that was only checked."""
        if commits(self.entries[payload.head.index]):
            self.payloads[self.manifest.n0 + payload.head.index] = payload

    def positions(self):
        return zip(range(self.manifest.n0, self.manifest.n1), self.entries)


def commits(entry):
    """Whether there is a commitment to hold a payload against."""
    return not entry.is_erasure and not entry.breaks_table


def read_beginning(stream, volume, archive_id):
    """Manifest, signature and entries, up to the root over them."""
    length = stream.number(4)
    if not 1 <= length <= MANIFEST_LIMIT:
        raise limit("the length of the manifest")
    manifest = Manifest(stream.take(length))
    manifest.check_signature(stream.take(64))
    manifest.check_volume(volume, archive_id)
    checkpoint = verify_checkpoint(manifest.checkpoint, manifest.log_id, manifest.sign)
    if (checkpoint.size, checkpoint.root) != (manifest.n1, manifest.root):
        raise damaged("a checkpoint of another size or root")
    entries = [Entry(stream.take(ENTRY_SIZE)) for _ in range(manifest.n1 - manifest.n0)]
    roots = roots_from(manifest.n0, manifest.peaks, entries)
    if roots[manifest.n1] != manifest.root:
        raise damaged("entries of another root")
    return Bundle(manifest, entries, roots)


def read_bundle(stream, volume, archive_id):
    """The whole inner stream, to the last zero behind it."""
    bundle = read_beginning(stream, volume, archive_id)
    reader = PayloadReader(PayloadStream(stream), bundle.manifest.plain_bytes)
    heads = []
    for head in reader.heads():
        heads.append(head)
        bundle.keep(read_payload(bundle, reader, head, len(heads)))
    if not counts_fit(bundle.manifest, heads):
        raise damaged("other payloads than the manifest says")
    stream.finish()
    return bundle


def read_payload(bundle, reader, head, count):
    hashes = reader.hashes(head)
    if count > bundle.manifest.payloads:
        raise damaged("more payloads than the manifest says")
    entry = bundle.entry_at_index(head.index)
    if entry is None:
        raise damaged("a payload of no entry")
    if commits(entry) and head.commitment(entry, hashes) != entry.commitment:
        raise damaged("a payload that its entry does not commit to")
    return Payload(head, list(check_blocks(head, hashes, reader.blocks(head))))


def counts_fit(manifest, heads):
    """Whether number, bytes and indices of the payloads are those of the manifest."""
    return (len(heads) == manifest.payloads and sum(head.plain_bytes for head in heads) == manifest.plain_bytes
            and indices_hash([head.index for head in heads]) == manifest.indices)
