"""What an archive holds of one log, and which of its entries are malformed, erased or lacking ("Entry", "Erasure",
"Continuation").
"""

import hashlib

from entries import CONTINUATION, FORM, Tree
from sealing import FormatError
from texts import Body, Continuation, forms_by_hash, read_object, read_text

BELIEVED_LIMIT = 64


class Held:
    """A payload as an archive keeps it."""

    def __init__(self, payload):
        self.text = payload.text
        self.body = Body(len(payload.body), hashlib.sha256(payload.body).digest())


class Log:
    """An enrolled log, as far as it is held."""

    def __init__(self, log_id):
        self.id = log_id
        self.entries = {}
        self.payloads = {}
        self.roots = {0: Tree().root()}
        self.lacking = set()
        self.frozen = False
        self.believed, self.refused = set(), set()

    def makes_fork(self, bundle):
        """Whether a bundle shows another history than what is held."""
        if any(self.roots.get(position, root) != root for position, root in bundle.roots.items()):
            return True
        return any(self.entries[position].raw != entry.raw
                   for position, entry in bundle.positions() if position in self.entries)

    def add_entries(self, bundle):
        """Adds the entries that were not held; their positions."""
        added = [position for position, _ in bundle.positions() if position not in self.entries]
        self.entries.update((position, entry) for position, entry in bundle.positions())
        self.roots.update(bundle.roots)
        return added

    def add_payloads(self, bundle):
        """Adds what was not held, and drops what is withdrawn."""
        for position, payload in bundle.payloads.items():
            self.payloads.setdefault(position, Held(payload))
            self.lacking.discard(position)
        erased = self.erased()
        for position, entry in self.entries.items():
            if entry.id in erased:
                self.payloads.pop(position, None)
                self.lacking.discard(position)

    def note_lacking(self, added):
        """Notes which of the entries that a salvage added have no payload, though one may have been lost."""
        erased = self.erased()
        for position in added:
            entry = self.entries[position]
            has_none = entry.breaks_table or entry.id in erased
            if not has_none and position not in self.payloads:
                self.lacking.add(position)

    def erased(self):
        return {entry.id for entry in self.entries.values() if entry.is_erasure and not entry.breaks_table}

    def gaps(self):
        gaps, end = [], 0
        for position in sorted(self.entries):
            if position > end:
                gaps.append([end, position])
            end = position + 1
        return gaps

    def size(self):
        """How many entries it has from 0 on without a gap."""
        size = 0
        while size in self.entries:
            size += 1
        return size


class Judgement:
    """Which positions of a log are malformed, from all that is held of it."""

    def __init__(self, log, known_logs):
        self.log = log
        self.known_logs = known_logs
        self.type_of_id = {}
        self.malformed = set()
        self.judge_entries()
        self.forms = forms_by_hash(self.form_texts())
        self.judge_payloads()
        self.malformed |= log.refused

    def judge_entries(self):
        before = {}
        for position, entry in sorted(self.log.entries.items()):
            if entry.breaks_table:
                self.malformed.add(position)
                continue
            self.type_of_id.setdefault(entry.id, entry.kind_of_item)
            if not follows(entry, before.get(entry.id)):
                self.malformed.add(position)
            before[entry.id] = entry

    def is_of_its_type(self, entry):
        return self.type_of_id[entry.id] == entry.type

    def form_texts(self):
        for position, held in self.log.payloads.items():
            entry = self.log.entries[position]
            if entry.type == FORM and self.is_of_its_type(entry) and not held.body.length:
                yield held.text

    def judge_payloads(self):
        for position, held in self.log.payloads.items():
            entry = self.log.entries[position]
            try:
                read_text(entry.type, held.text, held.body, self.forms)
            except FormatError:
                self.malformed.add(position)
            if not self.is_of_its_type(entry):
                self.malformed.add(position)

    def settle_continuations(self, size):
        """At the end of a bundle: looks at the statements that came with it, by their positions, as when their payloads
        came and the log had that size; and then again at all that are believed."""
        log = self.log
        right = [position for position in sorted(log.payloads) if self.is_right_continuation(position)]
        log.believed.intersection_update(right)
        log.refused.intersection_update(right)
        for position in right:
            if position not in log.believed | log.refused:
                can = len(log.believed) < BELIEVED_LIMIT and self.believes(position, size)
                (log.believed if can else log.refused).add(position)
        failed = {position for position in log.believed if not self.believes(position, log.size())}
        log.believed -= failed
        log.refused |= failed

    def is_right_continuation(self, position):
        entry = self.log.entries[position]
        if entry.type != CONTINUATION or not self.is_of_its_type(entry):
            return False
        try:
            read_text(entry.type, self.log.payloads[position].text, self.log.payloads[position].body, {})
        except FormatError:
            return False
        return True

    def believes(self, position, size):
        said = Continuation(read_object(self.log.payloads[position].text))
        if (position == 0) != (said.log == self.log.id):
            return False
        if said.size == 0:
            return said.continues not in self.known_logs or said.root == Tree().root()
        if said.continues == self.log.id and said.size <= size:
            return self.log.roots[said.size] == said.root
        return True


def follows(entry, before):
    """Whether an entry names the one before it, where that has the revision before."""
    if before is None or before.revision != entry.revision - 1:
        return True
    return entry.previous == before.leaf_without_mark()
