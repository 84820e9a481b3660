"""An archive with one device: what becomes of each bundle that comes, and what is held then ("Entry", "What an archive
does with them"; "Salvage"). No log is approved or revoked here, so only the log that came first is ever enrolled.
"""

from bundles import read_bundle
from log import Judgement, Log
from salvage import read_salvaged
from sealing import HEADER_SIZE, Chain, FormatError, archive_id, chain_start, damaged, dh_public
from volume import InnerStream, Party, chunks_of_length, file_hash, find_index, known_file, open_header


class Remembered:
    """What is kept of a bundle, so that its file can be told again what it was."""

    def __init__(self, bundle, waiting):
        self.log_id = bundle.log_id
        self.number = bundle.manifest.number
        self.count = bundle.manifest.n1 - bundle.manifest.n0
        self.waiting = waiting


class Archive:
    """Its keys, the chain of bundles of its one pair, and the logs that came under that."""

    def __init__(self, sign, scalar, psk):
        self.id = archive_id(sign, dh_public(scalar))
        self.party = Party(Chain(chain_start(psk, receipts=False)), [scalar])
        self.logs = []
        self.enrolled = None

    def renew(self, next_scalar, forget):
        """Takes further keys; where the first ones are forgotten, the archive's id stays theirs."""
        self.party.scalars = [next_scalar] if forget else [next_scalar, *self.party.scalars]
        self.party.forgot_keys = forget

    def take(self, data):
        """Imports a bundle; what became of it."""
        chunks_of_length(len(data))
        header = data[:HEADER_SIZE]
        found = find_index(self.party, header)
        if known_file(found, data):
            return self.told_again(found.spent.remembered)
        volume = open_header(self.party, found, header)
        bundle = read_bundle(InnerStream(volume, data), volume, self.id)
        waiting = self.would_wait(bundle)
        told = self.put_aside(bundle) if waiting else self.add(bundle)
        self.party.chain.spend(found, file_hash(data), Remembered(bundle, waiting))
        return told

    def salvage(self, data):
        """Imports a bundle or, where it is damaged, what verifies of it."""
        try:
            return {**self.take(data), "salvaged": False}
        except FormatError as error:
            if error.kind != "damaged":
                raise
        bundle = read_salvaged(data, self.party, self.id)
        if self.would_wait(bundle):
            raise damaged("a damaged bundle that would wait")
        return {**self.add(bundle), "salvaged": True}

    def would_wait(self, bundle):
        """Whether it belongs into quarantine: its log is not approved, or has two histories, with it or already."""
        if self.enrolled is None:
            return False
        if bundle.log_id != self.enrolled.id or self.enrolled.frozen:
            return True
        return self.enrolled.makes_fork(bundle)

    def put_aside(self, bundle):
        """Puts a bundle into quarantine; one of the enrolled log is there because that has two histories."""
        if bundle.log_id not in self.logs:
            self.logs.append(bundle.log_id)
        self.settle_continuations(self.enrolled.size())
        is_enrolled = bundle.log_id == self.enrolled.id
        if is_enrolled:
            self.enrolled.frozen = True
        gaps = self.enrolled.gaps() if is_enrolled else []
        return became(bundle.manifest.number, waiting=True, fork=is_enrolled, gaps=gaps)

    def add(self, bundle):
        if self.enrolled is None:
            self.enrolled = Log(bundle.log_id)
            self.logs.append(bundle.log_id)
        log = self.enrolled
        size = log.size()
        added = log.add_entries(bundle)
        log.add_payloads(bundle)
        # What the bundle joins by closing a gap counts from its end on.
        self.settle_continuations(max(size, bundle.manifest.n1) if bundle.manifest.n0 <= size else size)
        if bundle.lost_nothing:
            log.lacking.difference_update(position for position, _ in bundle.positions())
        else:
            log.note_lacking(added)
        return became(bundle.manifest.number, new=len(added), known=len(bundle.entries) - len(added), gaps=log.gaps())

    def settle_continuations(self, size):
        Judgement(self.enrolled, self.logs).settle_continuations(size)

    def told_again(self, remembered):
        """What a file was that came before, and how its log stands now."""
        is_enrolled = remembered.log_id == self.enrolled.id
        known = 0 if remembered.waiting else remembered.count
        return became(remembered.number, known=known, known_file=True, waiting=remembered.waiting,
                      fork=is_enrolled and self.enrolled.frozen, gaps=self.enrolled.gaps() if is_enrolled else [])

    def held(self):
        """What the archive holds."""
        log = self.enrolled or Log(b"")
        return {
            "logs": [log_id.hex() for log_id in self.logs],
            "entries": [[position, entry.raw.hex()] for position, entry in sorted(log.entries.items())],
            "payloads": [[position, held.text.hex(), held.body.length]
                         for position, held in sorted(log.payloads.items())],
            "malformed": sorted(Judgement(log, self.logs).malformed),
            "erased": sorted(erased.hex() for erased in log.erased()),
        }

    def lacking(self):
        return sorted(self.enrolled.lacking) if self.enrolled else []


def became(number, new=0, known=0, known_file=False, waiting=False, fork=False, gaps=()):
    """What became of a bundle."""
    return {"bundle": number, "new": new, "known": known, "known_file": known_file, "waiting": waiting, "fork": fork,
            "gaps": list(gaps)}

