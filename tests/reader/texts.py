"""The texts of payloads: JSON by the rules of the format, and what each type of entry says in it ("Text",
"Continuation").
"""

import json
import math
import re
import struct

from entries import ATTACHMENT, CONTINUATION, ERASURE, FORM, LINK, LOG_LIMIT, RECORD_TYPES, TYPES
from forms import BUILT_IN, check_form, check_record_fields, form_hash, require
from notes import utf8
from sealing import FormatError, log_id, malformed, signature_is_right
from values import is_datetime, is_whole

LEVELS_LIMIT, MARKS_LIMIT = 32, 1 << 18
NAME_LIMIT = 1024
ID = re.compile("[0-9a-fA-F]{32}")
SHA256 = re.compile("[0-9a-fA-F]{64}")
LOWER_HASH = re.compile("[0-9a-f]{64}")
LOWER_SIGNATURE = re.compile("[0-9a-f]{128}")
ROLE = re.compile("[a-z0-9][a-z0-9-]{0,39}")
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
CONTINUATION_CONTEXT = b"skrynia continuation 1\0"
CONTINUATION_MEMBERS = {"recorded", "log", "continues", "sign", "dh", "size", "root", "signature"}


def object_of(pairs):
    members = dict(pairs)
    require(len(members) == len(pairs), "two members of one name")
    return members


def whole_number(text):
    require(len(text) <= 20, "a whole number that is too large")
    value = int(text)
    require(-(1 << 63) <= value < 1 << 63, "a whole number that is too large")
    return value


def other_number(text):
    value = float(text)
    require(math.isfinite(value), "a number that is not finite")
    return value


def no_constant(text):
    raise malformed("no JSON: " + text)


def check_marks(raw):
    """Levels of brackets, and how many marks stand outside of strings; told before values are made of them."""
    level = marks = 0
    for mark in re.findall(rb"[][{},]", STRING.sub(b"", raw)):
        if mark in b"[{":
            level += 1
            require(level <= LEVELS_LIMIT, "too many levels of brackets")
        elif mark in b"]}":
            level -= 1
        if mark in b"[{,":
            marks += 1
    require(marks <= MARKS_LIMIT, "too many marks")


def check_strings(value):
    if isinstance(value, str):
        require("\0" not in value, "U+0000 in a string")
        require(not any("\ud800" <= character <= "\udfff" for character in value), "half a surrogate pair")
    elif isinstance(value, dict):
        for name, member in value.items():
            check_strings(name)
            check_strings(member)
    elif isinstance(value, list):
        for member in value:
            check_strings(member)


def read_object(raw):
    """The object that a text is."""
    text = utf8(raw)
    require(text is not None, "no UTF-8")
    check_marks(raw)
    try:
        value = json.loads(text, object_pairs_hook=object_of, parse_int=whole_number, parse_float=other_number,
                           parse_constant=no_constant)
    except json.JSONDecodeError:
        raise malformed("no JSON") from None
    require(isinstance(value, dict), "no object")
    check_strings(value)
    return value


def read_form(raw):
    """The form that a text is."""
    form = read_object(raw)
    check_form(form, len(raw))
    return form


def forms_by_hash(texts):
    """Those of the texts that are forms, by their hash."""
    forms = {}
    for raw in texts:
        try:
            forms[form_hash(raw)] = read_form(raw)
        except FormatError:
            continue
    return forms


class Body:
    """What is known of a payload's body; no `sha256` where the body itself is not there."""

    def __init__(self, length, sha256=None):
        self.length = length
        self.sha256 = sha256


def read_text(kind, raw, body, forms):
    """The members of the text of an entry's payload; `forms` are those of its log, by their hash."""
    require(kind != ERASURE, "an erasure has no text")
    require(kind == ATTACHMENT or body.length == 0, "a body that does not belong there")
    members = read_object(raw)
    if kind == FORM:
        check_form(members, len(raw))
        return members
    require(is_text(members, "recorded") and is_datetime(members["recorded"]), "`recorded`")
    if kind <= RECORD_TYPES:
        check_record(TYPES[kind - 1], members, forms)
    elif kind == LINK:
        check_link(members)
    elif kind == ATTACHMENT:
        check_attachment(members, body)
    elif kind == CONTINUATION:
        Continuation(members)
    return members


def is_text(members, name, pattern=None):
    value = members.get(name)
    return isinstance(value, str) and (pattern is None or bool(pattern.fullmatch(value)))


def check_record(kind, members, forms):
    require(set(members) == {"recorded", "form", "version", "fields"}, "other members than those of a record")
    require(is_text(members, "form") and is_whole(members["version"]), "form or version")
    name, version = members["form"], members["version"]
    if name == kind:
        require(1 <= version <= BUILT_IN[kind]["version"], "a version of the form that there is not")
        check_record_fields(BUILT_IN[kind], members["fields"])
        return
    require(LOWER_HASH.fullmatch(name), "the name of a form")
    form = forms.get(bytes.fromhex(name))
    require(form is not None, "a form that its log does not hold")
    require(form["type"] == kind and form["version"] == version, "type or version of its form")
    check_record_fields(form, members["fields"])


def check_link(members):
    require(set(members) == {"recorded", "source", "target", "role"}, "other members than those of a link")
    require(is_text(members, "source", ID) and is_text(members, "target", ID), "the ends of a link")
    require(is_text(members, "role", ROLE), "the role of a link")


def check_attachment(members, body):
    require(set(members) == {"recorded", "record", "name", "type", "size", "sha256"},
            "other members than those of an attachment")
    require(is_text(members, "record", ID), "the record of an attachment")
    require(is_text(members, "name") and name_can_be(members["name"]), "the name of an attachment")
    require(is_text(members, "type"), "the type of an attachment")
    require(is_whole(members["size"]) and members["size"] == body.length, "the size of an attachment")
    require(is_text(members, "sha256", SHA256), "the hash of an attachment")
    if body.sha256 is not None:
        require(bytes.fromhex(members["sha256"]) == body.sha256, "an attachment of another hash")


def name_can_be(name):
    return 1 <= len(name.encode()) <= NAME_LIMIT and "/" not in name and name not in (".", "..")


class Continuation:
    """What a continuation says, as far as it can be looked at without a log."""

    def __init__(self, members):
        require(set(members) == CONTINUATION_MEMBERS, "other members than those of a continuation")
        for name in ("log", "continues", "sign", "dh", "root"):
            require(is_text(members, name, LOWER_HASH), "bytes of a continuation")
        require(is_text(members, "signature", LOWER_SIGNATURE), "the signature of a continuation")
        require(is_whole(members["size"]) and 0 <= members["size"] <= LOG_LIMIT, "the size of a continuation")
        self.log, self.continues, self.sign, self.dh, self.root, self.signature = (
            bytes.fromhex(members[name]) for name in ("log", "continues", "sign", "dh", "root", "signature"))
        self.size = members["size"]
        require(log_id(self.sign, self.dh) == self.continues, "keys of another log")
        require(self.log != self.continues, "a log that continues itself")
        require(signature_is_right(self.sign, self.signed(), self.signature), "the signature of a continuation")

    def signed(self):
        return CONTINUATION_CONTEXT + self.log + self.continues + struct.pack("<Q", self.size) + self.root
