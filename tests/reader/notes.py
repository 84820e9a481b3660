"""Signed notes, checkpoints, the text of receipts, and words that can be shown."""
import base64
import datetime
import hashlib
import re

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from volume import Refusal, need, verify

# ---- notes ----

SPACES = re.compile(r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")


def base64_of(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refusal("damaged") from None
    need(base64.b64encode(data).decode() == text)
    return data


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def signatures_of(note):
    """(text, [(name, payload)])"""
    try:
        note = note.decode()
    except UnicodeDecodeError:
        raise Refusal("damaged") from None
    need(not re.search(r"[\0-\x09\x0b-\x1f]", note))
    at = note.rfind("\n\n")
    need(at > 0)
    text, lines = note[:at + 1], note[at + 2:].split("\n")
    need(lines.pop() == "" and 1 <= len(lines) <= 100)
    found = []
    for line in lines:
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014" and parts[1])
        need("+" not in parts[1] and not SPACES.search(parts[1]))
        payload = base64_of(parts[2])
        need(len(payload) > 4)
        found.append((parts[1], payload))
    return text, found


def note_text(note, name, key):
    """The text of a note that this key has signed under this name."""
    text, found = signatures_of(note)
    own = [payload for who, payload in found if who == name and payload[:4] == key_id(name, 1, key)]
    need(own)
    for payload in own:
        need(len(payload) == 68)
        verify(key, payload[4:], text.encode())
    return text


def check_cosigned(note, name, key):
    text, found = signatures_of(note)
    own = [payload for who, payload in found if who == name and payload[:4] == key_id(name, 4, key)]
    need(own)
    for payload in own:
        need(len(payload) == 76 and len(text.encode()) < 256)
        time = int.from_bytes(payload[4:12], "big")
        need(time < 1 << 63)
        verify(key, payload[12:], f"cosignature/v1\ntime {time}\n{text}".encode())


def decimal(text, bits=63):
    need(re.fullmatch(r"0|[1-9][0-9]*", text))
    need(int(text) < 1 << bits)
    return int(text)


def checkpoint(note, log_id, sign):
    """(size, root)"""
    origin = "skrynia/" + log_id.hex()
    lines = note_text(note, origin, sign).split("\n")
    need(len(lines) == 4 and lines[0] == origin and lines[3] == "")
    size, top = decimal(lines[1], 64), base64_of(lines[2])
    need(len(top) == 32)
    return size, top


# ---- words ----

HIDDEN = """0-1F 7F-9F AD 600-605 61C 6DD 70F 890-891 8E2 180E 200B-200F 2028-202E 2060-206F D800-DFFF
    FDD0-FDEF FEFF FFF0-FFFB 110BD 110CD 13430-1343F 1BCA0-1BCA3 1D173-1D17A E0000-E00FF E01F0-E0FFF"""
SPANS = [(int(span.split("-")[0], 16), int(span.split("-")[-1], 16)) for span in HIDDEN.split()]


def shown(text):
    """Whether words can be shown as they are."""
    return not any(ord(c) & 0xfffe == 0xfffe or any(a <= ord(c) <= b for a, b in SPANS) for c in text)


# ---- the text of receipts ----

def day_of(text):
    need(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII))
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise Refusal("damaged") from None
    need(day.year >= 1970)
    return (day - datetime.date(1970, 1, 1)).days


def root_of(text):
    data = base64_of(text)
    need(len(data) == 32)
    return data


def hex_of(text):
    need(re.fullmatch("[0-9a-f]{64}", text))
    return bytes.fromhex(text)


def can_agree(key):
    """Whether an X25519 key is no point of low order."""
    try:
        return any(sodium.crypto_scalarmult(bytes([1] * 32), key))
    except (CryptoError, RuntimeError):
        return False


def can_sign(key):
    """Whether an Ed25519 key is a point of the group of prime order, in its canonical encoding."""
    return sodium.crypto_core_ed25519_is_valid_point(key)


FIRST = (("archive", hex_of), ("log", hex_of), ("number", decimal), ("day", day_of), ("size", decimal),
         ("root", root_of))
REMARKS = {"quarantined": 3, "malformed": 1, "notice": 0}


TYPE_NAMES = {"person", "case", "event", "testimony", "source", "consent", "link", "attachment", "erasure", "form",
              "continuation"}


def is_form_name(value):
    return isinstance(value, str) and re.fullmatch("[a-z0-9][a-z0-9-]{0,39}", value) is not None and \
        value not in TYPE_NAMES


def is_version(value):
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 1 << 31


def read_form_line(rest):
    """(name, version, hash)"""
    match = re.fullmatch("([a-z0-9-]{1,40}) ([1-9][0-9]{0,9}) ([0-9a-f]{64})", rest)
    need(match and is_form_name(match[1]) and is_version(int(match[2])))
    return match[1], int(match[2]), bytes.fromhex(match[3])


def read_receipt_text(data):
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise Refusal("damaged") from None
    need(lines.pop() == "" and len(lines) >= 7 and lines[0] == "skrynia receipt 1")
    out = {"stored": [], "wanted": [], "remarks": [0, 0, 0]}
    for line, (word, read) in zip(lines[1:7], FIRST):
        need(line.startswith(word + " "))
        out[word] = read(line[len(word) + 1:])
    need(out["number"] > 0)
    last, order = -1, ["stored", "wanted", "bare", "revoked", "next", *REMARKS, "form"]
    for line in lines[7:]:
        word, _, rest = line.partition(" ")
        need(word in order and order.index(word) >= last and line != word)
        last = order.index(word)
        read_line(out, word, rest)
    return out


def read_line(out, word, rest):
    if word in REMARKS:
        parts = rest.split(" ", REMARKS[word])
        need(len(parts) == REMARKS[word] + 1)
        for part in parts[:-1]:
            decimal(part)
        need(shown(parts[-1]))
        which = list(REMARKS).index(word)
        out["remarks"][which] += 1
        need(out["remarks"][which] <= 1000)
        return
    if word == "form":
        form = read_form_line(rest)
        named = out.setdefault("forms", [])
        need(len(named) < 32 and (not named or named[-1][0] < form[0]))
        named.append(form)
        return
    if word == "revoked":
        need("revoked" not in out)
        out["revoked"] = decimal(rest)
        return
    if word == "next":
        need("next" not in out)
        keys = [hex_of(part) for part in rest.split(" ")]
        need(len(keys) == 2 and can_agree(keys[0]) and can_sign(keys[1]))
        out["next"] = keys
        return
    parts = rest.split(" ")
    need(len(parts) == (3 if word == "stored" else 2))
    start, end = decimal(parts[0]), decimal(parts[1])
    ranges = out.setdefault(word, [])
    need(start < end and (not ranges or start > ranges[-1][1]) and len(ranges) < 1000)
    ranges.append([start, end] + ([root_of(parts[2])] if word == "stored" else []))
