"""Texts of payloads: what else a reader marks as malformed."""
import calendar
import datetime
import hashlib
import json
import os
import re

from forms import check_form
from store import h, u64
from volume import Refusal, need, verify

RECORDS = {1: "person", 2: "case", 3: "event", 4: "testimony", 5: "source", 6: "consent"}
LINK, ATTACHMENT, FORM, CONTINUATION = 7, 8, 10, 11
FORMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "core", "forms")

# ---- texts ----

def unique(pairs):
    names = [name for name, _ in pairs]
    need(len(set(names)) == len(names))
    return dict(pairs)


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings_of(item)


def depth_of(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(depth_of, inside), default=0)


def not_a_number(_):
    raise Refusal("damaged")


def fit_integer(digits):
    need(-1 << 63 <= int(digits) < 1 << 63)
    return int(digits)


def fit_real(digits):
    need(float(digits) not in (float("inf"), float("-inf")))
    return float(digits)


STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def read_json(text):
    bare = STRING.sub(b"", text)
    need(sum(map(bare.count, (b"{", b"[", b","))) <= 1 << 18)
    try:
        value = json.loads(text.decode(), object_pairs_hook=unique, parse_constant=not_a_number,
                           parse_int=fit_integer, parse_float=fit_real)
        for string in strings_of(value):
            string.encode()
            need("\0" not in string)
    except ValueError:
        raise Refusal("damaged") from None
    need(depth_of(value) <= 32)
    return value


MEMBERS = {LINK: {"recorded", "source", "role", "target"},
           ATTACHMENT: {"recorded", "record", "name", "type", "size", "sha256"},
           CONTINUATION: {"recorded", "log", "continues", "sign", "dh", "size", "root", "signature"}}
MISSING = [{"missing": answer} for answer in ("unknown", "refused", "not asked")]
ID = "[0-9a-fA-F]{32}"
TIME = re.compile(r"(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-](0\d|1[0-4]):[0-5]\d)",
                  re.ASCII)


def matches(pattern, text):
    return isinstance(text, str) and re.fullmatch(pattern, text, re.ASCII) is not None


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


# ---- values ----

def first_and_last(text):
    """The days that a day can mean, with or without its month and day of the month."""
    need(matches(r"\d{4}(-\d\d(-\d\d)?)?", text))
    year, month, day = ([int(part) for part in text.split("-")] + [None, None])[:3]
    need(1800 <= year <= 2199)
    try:
        first = datetime.date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        raise Refusal("damaged") from None
    if day is not None:
        return first, first
    month = month or 12
    return first, datetime.date(year, month, calendar.monthrange(year, month)[1])


def check_time(text):
    match = isinstance(text, str) and TIME.fullmatch(text)
    need(match)
    first_and_last(match.group(1))
    need(not re.search(r"[+-]14:(?!00)", match.group(4)))


def check_date(text):
    need(isinstance(text, str))
    ends = text.split("/")
    need(len(ends) <= 2 and ends != [".."] and ends != ["..", ".."])
    spans = [None if end == ".." else first_and_last(end[:-1] if end.endswith("~") else end) for end in ends]
    need(len(spans) == 1 or None in spans or spans[0][0] <= spans[1][1])


def is_blank(value):
    return value in ([], {}) or isinstance(value, str) and not value.strip(" \t\r\n")


def check_choices(field, value):
    names = [choice["name"] for choice in field["choices"]]
    need(isinstance(value, list) and all(isinstance(name, str) and name in names for name in value))
    need(len(set(value)) == len(value))


def check_repeat(field, value):
    need(isinstance(value, list))
    for group in value:
        check_fields(field["fields"], group)


VALUES = {
    "text": lambda field, value: need(isinstance(value, str)),
    "choice": lambda field, value: check_choices(field, [value]),
    "choices": check_choices,
    "integer": lambda field, value: need(whole(value)),
    "decimal": lambda field, value: need(whole(value) or isinstance(value, float)),
    "date": lambda field, value: check_date(value),
    "time": lambda field, value: need(matches(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", value)),
    "datetime": lambda field, value: check_time(value),
    "group": lambda field, value: check_fields(field["fields"], value),
    "repeat": check_repeat,
}


def check_fields(fields, values):
    """An object of values against the fields of a form, a group or a repeat."""
    need(isinstance(values, dict))
    known = {field["name"]: field for field in fields}
    for name, value in values.items():
        need(name in known)
        if value not in MISSING:
            VALUES[known[name]["type"]](known[name], value)
    filled = {name for name, value in values.items() if not is_blank(value)}
    need(all(field["name"] in filled or field.get("unless") in filled
             for field in fields if field.get("required")))


def check_attachment(value, body_length, body):
    need(matches(ID, value["record"]) and isinstance(value["type"], str))
    name = value["name"]
    need(isinstance(name, str) and name not in ("", ".", "..") and "/" not in name)
    need(len(name.encode()) <= 1024)
    need(whole(value["size"]) and value["size"] == body_length)
    need(matches("[0-9a-fA-F]{64}", value["sha256"]))
    need(body is None or hashlib.sha256(body).hexdigest() == value["sha256"].lower())


def check_continuation(value):
    data = {}
    for name, length in (("log", 32), ("continues", 32), ("sign", 32), ("dh", 32), ("root", 32),
                         ("signature", 64)):
        need(matches("[0-9a-f]{%d}" % (2 * length), value[name]))
        data[name] = bytes.fromhex(value[name])
    need(whole(value["size"]) and 0 <= value["size"] <= 1 << 40)
    need(h(None, "log id", data["sign"], data["dh"]) == data["continues"])
    verify(data["sign"], data["signature"], b"skrynia continuation 1\0" + data["log"] +
           data["continues"] + u64(value["size"]) + data["root"])


def built_in(name, version):
    with open(os.path.join(FORMS, name + ".json"), encoding="utf-8") as file:
        form = json.load(file)
    need(whole(version) and 1 <= version <= form["version"])
    return form


def form_of(name, value, forms):
    """The form of a record: that of its type, or one of those that its log holds, by their hash."""
    if value["form"] == name:
        return built_in(name, value["version"])
    need(matches("[0-9a-f]{64}", value["form"]) and bytes.fromhex(value["form"]) in forms)
    form = forms[bytes.fromhex(value["form"])]
    need(form["type"] == name and whole(value["version"]) and value["version"] == form["version"])
    return form


def check_text(kind, text, body_length, body=None, forms=None):
    """The members of a payload's text; raises what `malformed` stands for. forms: of its log, by their hash."""
    value = read_json(text)
    need(kind == ATTACHMENT or body_length == 0)
    if kind == FORM:
        return check_form(value, len(text))
    need(isinstance(value, dict))
    need(kind in RECORDS or kind in MEMBERS)
    need(set(value) == MEMBERS.get(kind, {"form", "version", "recorded", "fields"}))
    check_time(value["recorded"])
    if kind in RECORDS:
        check_fields(form_of(RECORDS[kind], value, forms or {})["fields"], value["fields"])
    elif kind == LINK:
        need(matches(r"[a-z0-9][a-z0-9-]{0,39}", value["role"]))
        need(matches(ID, value["source"]) and matches(ID, value["target"]))
    elif kind == ATTACHMENT:
        check_attachment(value, body_length, body)
    else:
        check_continuation(value)
    return value
