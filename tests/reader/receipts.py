"""The text of a receipt, line by line ("Receipt")."""

import datetime
import re

from forms import form_name_can_be, VERSION_LIMIT
from notes import NUMBER, ROOT, can_be_shown, decimal, root_of, utf8
from sealing import agrees_with_nobody, damaged, sign_key_can_be

HASH = "[0-9a-f]{64}"
NUMBER_BOUND = 1 << 63
LINES_LIMIT = 1000
FORMS_LIMIT = 32
FIRST_DAY = datetime.date(1970, 1, 1)


class Lines:
    """The lines of a text, in their order."""

    def __init__(self, text):
        lines = text.split("\n")
        if lines.pop():
            raise damaged("a last line without its end")
        self.lines = lines
        self.position = 0

    def next(self, pattern):
        """What the groups of `pattern` find in the next line, which has to be of this kind."""
        if self.position == len(self.lines):
            raise damaged("too few lines")
        match = re.fullmatch(pattern, self.lines[self.position], re.DOTALL)
        if not match:
            raise damaged("a line that is not as it should be")
        self.position += 1
        return match.groups()

    def several(self, word, pattern, most):
        """What each line that begins with `word` says."""
        found = []
        while self.position < len(self.lines) and self.lines[self.position].startswith(word + " "):
            found.append(self.next(f"{word} {pattern}"))
        if len(found) > most:
            raise damaged("too many lines of a kind")
        return found

    def finish(self):
        if self.position != len(self.lines):
            raise damaged("a line that does not belong there")


class ReceiptText:
    """All that a receipt's text says."""

    def __init__(self, raw):
        text = utf8(raw)
        if text is None:
            raise damaged("no text")
        lines = Lines(text)
        self.read_beginning(lines)
        self.read_ranges(lines)
        self.read_keys(lines)
        self.read_remarks(lines)
        self.read_forms(lines)
        lines.finish()

    def read_beginning(self, lines):
        lines.next("skrynia receipt 1")
        self.archive = bytes.fromhex(lines.next(f"archive ({HASH})")[0])
        self.log = bytes.fromhex(lines.next(f"log ({HASH})")[0])
        self.number = number(lines.next(f"number ({NUMBER})")[0])
        if self.number == 0:
            raise damaged("number 0")
        self.day = day_number(*lines.next("day ([0-9]{4})-([0-9]{2})-([0-9]{2})"))
        self.size = number(lines.next(f"size ({NUMBER})")[0])
        self.root = root_of(lines.next(f"root ({ROOT})")[0])

    def read_ranges(self, lines):
        stored = lines.several("stored", f"({NUMBER}) ({NUMBER}) ({ROOT})", LINES_LIMIT)
        self.stored = [(number(start), number(end), root_of(root)) for start, end, root in stored]
        check_rising(self.stored)
        self.wanted = plain_ranges(lines, "wanted")
        self.bare = plain_ranges(lines, "bare")
        self.withdrawn = plain_ranges(lines, "withdrawn")

    def read_keys(self, lines):
        revoked = lines.several("revoked", f"({NUMBER})", 1)
        self.revoked = number(revoked[0][0]) if revoked else None
        following = lines.several("next", f"({HASH}) ({HASH})", 1)
        self.next = tuple(bytes.fromhex(key) for key in following[0]) if following else None
        if self.next and (agrees_with_nobody(self.next[0]) or not sign_key_can_be(self.next[1])):
            raise damaged("a next key that cannot be one")

    def read_remarks(self, lines):
        quarantined = lines.several("quarantined", f"({NUMBER}) ({NUMBER}) ({NUMBER}) (.*)", LINES_LIMIT)
        wrong = lines.several("malformed", f"({NUMBER}) (.*)", LINES_LIMIT)
        notices = lines.several("notice", "(.*)", LINES_LIMIT)
        for *numbers, words in quarantined + wrong + notices:
            for text in numbers:
                number(text)
            if not can_be_shown(words):
                raise damaged("words that are not safe to show")
        self.remarks = [len(quarantined), len(wrong), len(notices)]

    def read_forms(self, lines):
        offered = lines.several("form", f"([^ ]*) ({NUMBER}) ({HASH})", FORMS_LIMIT)
        self.forms = [(name, number(version), bytes.fromhex(hashed)) for name, version, hashed in offered]
        for name, version, _ in self.forms:
            if not form_name_can_be(name) or not 1 <= version <= VERSION_LIMIT:
                raise damaged("a form that cannot be")
        if any(a[0] >= b[0] for a, b in zip(self.forms, self.forms[1:])):
            raise damaged("names of forms that do not rise")


def number(text):
    return decimal(text, NUMBER_BOUND)


def day_number(year, month, day):
    try:
        date = datetime.date(int(year), int(month), int(day))
    except ValueError:
        raise damaged("no day of the calendar") from None
    if date < FIRST_DAY:
        raise damaged("a day before 1970")
    return (date - FIRST_DAY).days


def plain_ranges(lines, word):
    ranges = [(number(start), number(end)) for start, end in lines.several(word, f"({NUMBER}) ({NUMBER})", LINES_LIMIT)]
    check_rising(ranges)
    return ranges


def check_rising(ranges):
    """Ranges rise, and do not touch."""
    before = -1
    for start, end, *_ in ranges:
        if start <= before or end <= start:
            raise damaged("a range that is none, or that does not rise")
        before = end
