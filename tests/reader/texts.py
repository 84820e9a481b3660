"""Texts of payloads: what else a reader marks as malformed."""
import datetime
import hashlib
import json
import os
import re

from store import h, u64
from volume import Refusal, need, verify

RECORDS = {1: "person", 2: "case", 3: "event", 4: "testimony", 5: "source", 6: "consent"}
LINK, ATTACHMENT, CONTINUATION = 7, 8, 11
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
ID = re.compile(r"[0-9a-fA-F]{32}")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-](0\d|1[0-4]):[0-5]\d)",
                  re.ASCII)


def check_time(text):
    match = isinstance(text, str) and TIME.fullmatch(text)
    need(match)
    try:
        day = datetime.date.fromisoformat(match.group(1))
    except ValueError:
        raise Refusal("damaged") from None
    need(1800 <= day.year <= 2199 and not re.search(r"[+-]14:(?!00)", match.group(4)))


def matches(pattern, text):
    return isinstance(text, str) and re.fullmatch(pattern, text) is not None


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def check_attachment(value, body_length, body):
    need(matches(ID, value["record"]) and isinstance(value["type"], str))
    name = value["name"]
    need(isinstance(name, str) and name not in ("", ".", "..") and "/" not in name)
    need(len(name.encode()) <= 1024)
    need(whole(value["size"]) and value["size"] == body_length)
    need(matches("[0-9a-f]{64}", value["sha256"]))
    need(body is None or hashlib.sha256(body).hexdigest() == value["sha256"])


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


def check_fields(name, version, fields):
    """The names of a form's fields; their values are not looked at."""
    with open(os.path.join(FORMS, name + ".json"), encoding="utf-8") as file:
        form = json.load(file)
    need(whole(version) and 1 <= version <= form["version"] and isinstance(fields, dict))
    need(set(fields) <= {field["name"] for field in form["fields"]})
    need(all(field["name"] in fields for field in form["fields"] if field.get("required")))


def check_text(kind, text, body_length, body=None):
    """The members of a payload's text; raises what `malformed` stands for."""
    value = read_json(text)
    need(kind == ATTACHMENT or body_length == 0)
    need(isinstance(value, dict))
    need(set(value) == MEMBERS.get(kind, {"form", "version", "recorded", "fields"}))
    check_time(value["recorded"])
    if kind in RECORDS:
        need(value["form"] == RECORDS[kind])
        check_fields(value["form"], value["version"], value["fields"])
    elif kind == LINK:
        need(matches(r"[a-z0-9][a-z0-9-]{0,39}", value["role"]))
        need(matches(ID, value["source"]) and matches(ID, value["target"]))
    elif kind == ATTACHMENT:
        check_attachment(value, body_length, body)
    else:
        check_continuation(value)
    return value
