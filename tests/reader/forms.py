"""Forms of organisations: what is one, and what a device keeps of those in receipts."""
import re

from notes import is_form_name, is_version, shown
from store import h
from volume import Refusal, need

TYPES = ("person", "case", "event", "testimony", "source", "consent")
VALUES = {"text", "integer", "decimal", "date", "time", "datetime", "choice", "choices", "group", "repeat"}
FIELD, MORE = {"name", "label", "type", "access"}, {"hint", "unless", "choices", "fields", "required"}


def hash_of(text):
    return h(None, "form", text)


def is_words(value, most=200):
    return isinstance(value, str) and 1 <= len(value.encode()) <= most and shown(value) and \
        value == value.strip(" ")


def is_name(value):
    return isinstance(value, str) and re.fullmatch("[a-z0-9_]{1,40}", value) is not None


def lower(text):
    return re.sub("[A-Z]", lambda letter: letter[0].lower(), text)


def check_choices(choices):
    need(isinstance(choices, list) and 1 <= len(choices) <= 500)
    labels, names = set(), set()
    for choice in choices:
        need(isinstance(choice, dict) and set(choice) == {"name", "label"} and is_name(choice["name"]))
        need(is_words(choice["label"]) and "," not in choice["label"])
        label, name = lower(choice["label"]), choice["name"]
        need(label not in labels | names and name not in labels | names)
        labels.add(label)
        names.add(name)


def check_field(field, depth):
    """How many fields it is, with those inside of it."""
    need(isinstance(field, dict) and FIELD <= set(field) <= FIELD | MORE)
    need(is_name(field["name"]) and field["name"] != "missing" and is_words(field["label"]))
    need(field["type"] in VALUES if isinstance(field["type"], str) else False)
    need(field["access"] in ("public", "internal", "protected"))
    need(field.get("hint", "") == "" or is_words(field["hint"], 500))
    need(isinstance(field.get("required", False), bool))
    need(("choices" in field) == (field["type"] in ("choice", "choices")))
    need(("fields" in field) == (field["type"] in ("group", "repeat")))
    if "choices" in field:
        check_choices(field["choices"])
    return 1 + (check_level(field["fields"], depth + 1) if "fields" in field else 0)


def check_level(fields, depth):
    need(isinstance(fields, list) and 1 <= len(fields) <= 200 and depth <= 6)
    count = sum(check_field(field, depth) for field in fields)
    names = [field["name"] for field in fields]
    need(len(set(names)) == len(names))
    for field in fields:
        need("unless" not in field or field["unless"] in names and field["unless"] != field["name"])
    return count


def check_form(value, length):
    """A JSON value that was read by the rules of texts."""
    need(length <= 65536 and isinstance(value, dict))
    need(set(value) == {"form", "type", "version", "label", "fields"})
    need(is_form_name(value["form"]) and value["type"] in TYPES and is_version(value["version"]))
    need(is_words(value["label"]) and check_level(value["fields"], 1) <= 500)
    titles = [field for field in value["fields"] if field["name"] == "title"]
    need(titles and titles[0]["type"] == "text" and titles[0].get("required", False))
    instead = [field for field in value["fields"] if field["name"] == titles[0].get("unless")]
    need(all(field["type"] == "text" for field in instead))
    return value


# ---- in receipts ----

def read_texts(inner):
    texts = []
    while True:
        length = inner.number(4)
        if length == 0:
            return texts
        need(length <= 65536 and len(texts) < 32, "limit")
        texts.append(inner.take(length))


class Offers:
    """What an archive offers, as a device keeps it: name to [version, hash, offered]."""

    def __init__(self):
        self.kept = {}

    def take(self, lines, texts, read_json):
        listed = [name for name, _, _ in lines]
        for name, row in self.kept.items():
            row[2] = row[2] and name in listed
        for (name, version, known_by), text in zip(lines, texts):
            try:
                form = check_form(read_json(text), len(text))
                need((form["form"], form["version"]) == (name, version))
            except Refusal:
                continue
            row = self.kept.get(name)
            if not row or row[0] < version or row[:2] == [version, known_by]:
                self.kept[name] = [version, known_by, True]

    def offered(self):
        return [[name, version, known_by] for name, (version, known_by, now) in sorted(self.kept.items()) if now]
