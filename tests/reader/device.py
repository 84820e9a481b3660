"""A device with one archive, and what it makes of the receipts that come ("Receipt", "Revocation", "Renewed keys", "In
a receipt").
"""

from entries import Entry, roots_from
from forms import FORM_TEXT_LIMIT, form_hash
from notes import Note, checkpoint_of
from receipts import FORMS_LIMIT, ReceiptText
from sealing import (HEADER_SIZE, Chain, FormatError, archive_id, chain_start, damaged, dh_public, limit, log_id,
                     refused)
from texts import read_form
from volume import InnerStream, Party, chunks_of_length, file_hash, find_index, known_file, open_header

PART_LIMIT = 1 << 20


class Parts:
    """The parts of a receipt's inner stream, before any of them is looked into."""

    def __init__(self, stream):
        self.note = part(stream, PART_LIMIT)
        self.checkpoint = part(stream, PART_LIMIT)
        self.forms = []
        while form := part(stream, FORM_TEXT_LIMIT):
            if len(self.forms) == FORMS_LIMIT:
                raise limit("too many forms")
            self.forms.append(form)
        stream.finish()


def part(stream, most):
    length = stream.number(4)
    if length > most:
        raise limit("a part of a receipt that is too long")
    return stream.take(length)


class Offers:
    """The forms that an archive offers, and the newest of each name that it ever did."""

    def __init__(self):
        self.offered = {}
        self.newest = {}

    def take(self, lines, texts):
        """What is offered by a receipt that was taken."""
        listed = {name for name, _, _ in lines}
        self.offered = {name: form for name, form in self.offered.items() if name in listed}
        for (name, version, hashed), text in zip(lines, texts):
            if is_form_of_line(text, name, version) and self.may_take(name, version, hashed):
                self.offered[name] = self.newest[name] = (version, hashed)

    def may_take(self, name, version, hashed):
        if name not in self.newest:
            return True
        return version > self.newest[name][0] or (version, hashed) == self.newest[name]


def is_form_of_line(text, name, version):
    try:
        form = read_form(text)
    except FormatError:
        return False
    return (form["form"], form["version"]) == (name, version)


class Device:
    """Its log, the archive's keys as it knows them, and what the receipts so far have said."""

    def __init__(self, scalar, sign, psk, archive_sign, archive_dh, entries, has):
        self.sign = sign
        self.log = log_id(sign, dh_public(scalar))
        self.archive = archive_id(archive_sign, archive_dh)
        self.party = Party(Chain(chain_start(psk, receipts=True)), [scalar])
        self.roots = roots_from(0, (), [Entry(raw) for raw in entries])
        self.size = len(entries)
        self.has = set(has)
        self.in_force = (archive_dh, archive_sign)
        self.announced = None
        self.given_up = None
        self.newest = 0
        self.acknowledged = set()
        self.wanted = set()
        self.revoked = None
        self.offers = Offers()

    @property
    def archive_name(self):
        return "skrynia-archive/" + self.archive.hex()

    def take(self, data):
        """Reads a receipt; what became of it."""
        chunks_of_length(len(data))
        header = data[:HEADER_SIZE]
        found = find_index(self.party, header)
        if known_file(found, data):
            return self.told(0, 0, older=True)
        volume = open_header(self.party, found, header)
        parts = Parts(InnerStream(volume, data))
        text, signer = self.check(parts)
        older = text.number <= self.newest
        if self.is_rollback(text):
            return self.told(text.number, text.size, older=older, rollback=True,
                             revoked=None if older else text.revoked)
        if not older:
            self.accept(text, signer, parts.forms)
            self.party.chain.spend(found, file_hash(data), None)
        return self.told(text.number, text.size, older=older)

    def check(self, parts):
        """The checks of a receipt, from the signature on; its text and the pair that signs."""
        note = Note(parts.note)
        signer = self.signer(note)
        text = ReceiptText(note.text.encode())
        if (text.archive, text.log) != (self.archive, self.log):
            raise refused("a receipt of another archive or log")
        self.check_next(text, signer)
        if parts.checkpoint:
            checkpoint = Note(parts.checkpoint)
            checkpoint_of(checkpoint, self.log, self.sign)
            checkpoint.verify_cosignature(self.archive_name, signer[1])
        if [form_hash(form) for form in parts.forms] != [hashed for _, _, hashed in text.forms]:
            raise damaged("other forms than the lines say")
        if text.number > self.newest and self.announced and signer == self.in_force and text.next != self.announced:
            raise refused("other keys than those that were announced")
        return text, signer

    def signer(self, note):
        """The pair that signs."""
        for pair in (self.announced, self.in_force):
            if pair and note.is_signed_by(self.archive_name, pair[1]):
                return pair
        if self.given_up and note.is_signed_by(self.archive_name, self.given_up[1]):
            raise refused("signed with keys that were given up")
        raise damaged("not signed by the archive")

    def check_next(self, text, signer):
        had = [key for pair in (signer, self.in_force, self.given_up) if pair for key in pair]
        if text.next and any(key in had for key in text.next):
            raise damaged("next keys that the archive has had before")

    def is_rollback(self, text):
        """Whether the archive holds entries that this log does not have."""
        claims = [(text.size, text.root)] + [(end, root) for _, end, root in text.stored]
        return any(self.roots.get(position) != root for position, root in claims)

    def accept(self, text, signer, forms):
        self.newest = text.number
        for start, end, _ in text.stored:
            self.acknowledged.update(range(start, end))
        self.wanted = self.positions(text.wanted) | self.positions(text.bare) & self.has
        if text.revoked is not None:
            self.revoked = text.revoked if self.revoked is None else min(self.revoked, text.revoked)
        if signer == self.announced:
            self.given_up, self.in_force, self.announced = self.in_force, self.announced, None
        if self.announced is None:
            self.announced = text.next
        self.offers.take(text.forms, forms)

    def positions(self, ranges):
        return {position for start, end in ranges for position in range(start, min(end, self.size))}

    def told(self, number, size, older=False, rollback=False, revoked=None):
        """What became of a receipt, and how the device stands then."""
        told = {"number": number, "size": size, "acknowledged": len(self.acknowledged), "wanted": len(self.wanted),
                "older": older, "rollback": rollback}
        positions = [position for position in (self.revoked, revoked) if position is not None]
        if positions:
            told["revoked"] = min(positions)
        if self.announced:
            told["announced"] = [key.hex() for key in self.announced]
        if self.given_up:
            told["in_force"] = [key.hex() for key in self.in_force]
        if self.offers.offered:
            told["forms"] = [[name, version, hashed.hex()]
                             for name, (version, hashed) in sorted(self.offers.offered.items())]
        return told
