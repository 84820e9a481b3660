"""The values that fields of a form can have, dates and times among them ("Values")."""

import calendar
import re

from sealing import malformed

MISSING = ("unknown", "refused", "not asked")
FIRST_YEAR, LAST_YEAR = 1800, 2199
DAY = re.compile("([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?~?")
TIME = re.compile("([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")
DATETIME = re.compile("([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9:]+)(?:Z|[+-]([0-9]{2}):([0-9]{2}))")
ZONE_LIMIT_MINUTES = 14 * 60


def is_whole(value):
    return type(value) is int


def is_number(value):
    return type(value) in (int, float)


def span_of_day(text):
    """The first and the last day that a day, month or year can mean, or None."""
    match = DAY.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    if month is None:
        return (year, 1, 1), (year, 12, 31)
    if not 1 <= month <= 12:
        return None
    days = calendar.monthrange(year, month)[1]
    if day is None:
        return (year, month, 1), (year, month, days)
    return ((year, month, day), (year, month, day)) if 1 <= day <= days else None


def is_date(text):
    if text.startswith("../"):
        return span_of_day(text[3:]) is not None
    if text.endswith("/.."):
        return span_of_day(text[:-3]) is not None
    first, separator, second = text.partition("/")
    if not separator:
        return span_of_day(first) is not None
    spans = span_of_day(first), span_of_day(second)
    return None not in spans and spans[0][0] <= spans[1][1]


def is_time(text):
    match = TIME.fullmatch(text)
    if not match:
        return False
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours <= 23 and minutes <= 59 and seconds <= 59


def is_datetime(text):
    match = DATETIME.fullmatch(text)
    if not match:
        return False
    day, time, zone_hours, zone_minutes = match.groups()
    if zone_hours is not None:
        if int(zone_minutes) > 59 or int(zone_hours) * 60 + int(zone_minutes) > ZONE_LIMIT_MINUTES:
            return False
    return span_of_day(day) is not None and is_time(time)


def is_missing(value):
    return isinstance(value, dict) and list(value) == ["missing"] and value["missing"] in MISSING


def is_choice(field, value):
    return isinstance(value, str) and any(choice["name"] == value for choice in field["choices"])


def are_choices(field, value):
    return (isinstance(value, list) and all(is_choice(field, name) for name in value)
            and len(set(value)) == len(value))


SIMPLE = {
    "text": lambda field, value: isinstance(value, str),
    "choice": is_choice,
    "choices": are_choices,
    "integer": lambda field, value: is_whole(value),
    "decimal": lambda field, value: is_number(value),
    "date": lambda field, value: isinstance(value, str) and is_date(value),
    "time": lambda field, value: isinstance(value, str) and is_time(value),
    "datetime": lambda field, value: isinstance(value, str) and is_datetime(value),
}


def check_value(field, value, check_members):
    """A value of a field; `check_members` looks at the object of a group."""
    if is_missing(value):
        return
    if field["type"] == "group":
        check_members(field["fields"], value)
    elif field["type"] == "repeat":
        if not isinstance(value, list):
            raise malformed("a repeat that is no array")
        for member in value:
            check_members(field["fields"], member)
    elif not SIMPLE[field["type"]](field, value):
        raise malformed("a value that its field does not have")


def is_blank(value):
    if isinstance(value, str):
        return not value.strip(" \t\r\n")
    return value in ([], {})
