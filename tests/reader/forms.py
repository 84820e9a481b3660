"""Forms, the built-in ones and those of an organisation, and the values that they allow ("Forms", "Values")."""

import json
import pathlib
import re

from entries import RECORD_TYPES, TYPES
from notes import can_be_shown
from sealing import NO_KEY, keyed_hash, malformed
from values import check_value, is_blank, is_whole

BUILT_IN_FOLDER = pathlib.Path(__file__).resolve().parents[2] / "core" / "forms"
VERSION_LIMIT = (1 << 31) - 1
FORM_TEXT_LIMIT = 65536
WORDS_LIMIT, HINT_LIMIT = 200, 500
FIELDS_LIMIT, FIELDS_TOGETHER_LIMIT, ARRAYS_LIMIT, CHOICES_LIMIT = 200, 500, 6, 500
FORM_NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")
FIELD_NAME = re.compile("[a-z0-9_]{1,40}")
VALUE_TYPES = ("text", "choice", "choices", "integer", "decimal", "date", "time", "datetime", "group", "repeat")
WITH_CHOICES = ("choice", "choices")
WITH_FIELDS = ("group", "repeat")
ACCESS = ("public", "internal", "protected")
FORM_MEMBERS = {"form", "type", "version", "label", "fields"}
FIELD_MEMBERS = {"name", "label", "type", "access"}
FIELD_OPTIONAL = {"hint", "unless", "choices", "fields", "required"}


def built_in_form(name):
    return json.loads((BUILT_IN_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


BUILT_IN = {name: built_in_form(name) for name in TYPES[:RECORD_TYPES]}


def form_hash(text):
    return keyed_hash(NO_KEY, "form", text)


def form_name_can_be(name):
    return bool(FORM_NAME.fullmatch(name)) and name not in TYPES


def require(condition, reason):
    if not condition:
        raise malformed(reason)


def is_name(value):
    return isinstance(value, str) and bool(FIELD_NAME.fullmatch(value))


def are_words(value, most=WORDS_LIMIT):
    return (isinstance(value, str) and 1 <= len(value.encode()) <= most and can_be_shown(value)
            and value == value.strip(" "))


def check_form(form, text_length):
    """The rules of a form of an organisation, whose JSON was read already."""
    require(1 <= text_length <= FORM_TEXT_LIMIT, "a form that is too long")
    require(set(form) == FORM_MEMBERS, "other members than those of a form")
    require(isinstance(form["form"], str) and form_name_can_be(form["form"]), "the name of a form")
    require(form["type"] in TYPES[:RECORD_TYPES], "the type of a form")
    require(is_whole(form["version"]) and 1 <= form["version"] <= VERSION_LIMIT, "the version of a form")
    require(are_words(form["label"]), "the label of a form")
    count = check_fields_array(form["fields"], 1)
    require(count <= FIELDS_TOGETHER_LIMIT, "too many fields")
    check_title(form["fields"])


def check_title(fields):
    by_name = {field["name"]: field for field in fields}
    title = by_name.get("title")
    require(title is not None and title["type"] == "text" and title.get("required") is True, "the title of a form")
    if "unless" in title:
        require(by_name[title["unless"]]["type"] == "text", "what stands for the title")


def check_fields_array(fields, level):
    """Checks an array of fields and all inside of it; how many fields there are."""
    require(level <= ARRAYS_LIMIT, "arrays of fields that are too deep")
    require(isinstance(fields, list) and 1 <= len(fields) <= FIELDS_LIMIT, "the fields of a form")
    count = len(fields)
    for field in fields:
        check_field(field)
        if "fields" in field:
            count += check_fields_array(field["fields"], level + 1)
    names = [field["name"] for field in fields]
    require(len(set(names)) == len(names), "two fields of one name")
    for field in fields:
        if "unless" in field:
            require(field["unless"] in names and field["unless"] != field["name"], "`unless`")
    return count


def check_field(field):
    require(isinstance(field, dict), "a field that is no object")
    require(FIELD_MEMBERS <= set(field) <= FIELD_MEMBERS | FIELD_OPTIONAL, "other members than those of a field")
    require(is_name(field["name"]) and field["name"] != "missing", "the name of a field")
    require(are_words(field["label"]), "the label of a field")
    require(field["type"] in VALUE_TYPES, "the type of a field")
    require(field["access"] in ACCESS, "the access of a field")
    require(field.get("hint", "") == "" or are_words(field["hint"], HINT_LIMIT), "the hint of a field")
    require(isinstance(field.get("required", False), bool), "`required`")
    require(("choices" in field) == (field["type"] in WITH_CHOICES), "choices where they do not belong, or none")
    require(("fields" in field) == (field["type"] in WITH_FIELDS), "fields where they do not belong, or none")
    if "choices" in field:
        check_choices(field["choices"])


def check_choices(choices):
    require(isinstance(choices, list) and 1 <= len(choices) <= CHOICES_LIMIT, "the choices of a field")
    taken = {}
    for number, choice in enumerate(choices):
        require(isinstance(choice, dict) and set(choice) == {"name", "label"}, "a choice")
        require(is_name(choice["name"]), "the name of a choice")
        require(are_words(choice["label"]) and "," not in choice["label"], "the label of a choice")
        label = lowered(choice["label"])
        for word in {choice["name"], label}:
            require(taken.setdefault(word, number) == number, "a name or label that is like another's")


def lowered(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def check_record_fields(form, values):
    """The `fields` of a record, as its form allows them."""
    check_members(form["fields"], values)


def check_members(fields, values):
    require(isinstance(values, dict), "fields that are no object")
    by_name = {field["name"]: field for field in fields}
    for name, value in values.items():
        require(name in by_name, "a field that the form does not have")
        check_value(by_name[name], value, check_members)
    for field in fields:
        if field.get("required"):
            names = [field["name"]] + ([field["unless"]] if "unless" in field else [])
            require(any(name in values and not is_blank(values[name]) for name in names), "a required field")
