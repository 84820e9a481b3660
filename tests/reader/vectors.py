"""Goal of this test: a reader that follows sync/FORMAT.md alone says of each vector what the vector says, the same
content or the same class of error: `python3 vectors.py FOLDER`. It prints a line for each that differs, and at the end
how many vectors there are of each class.
"""

import collections
import hashlib
import json
import pathlib
import struct
import sys

import nacl.bindings
import nacl.utils

from archive import Archive
from bundles import Manifest
from device import Device
from entries import Entry
from frames import Payload, PayloadReader, PayloadStream
from invites import Invite, open_invite, padded_content
from notes import verify_checkpoint
from receipts import ReceiptText
from sealing import HEADER_SIZE, Cursor, FormatError, IndexKeys, chain_start, damaged, psk_at, tag_of
from texts import Body, forms_by_hash, read_text
from volume import CHUNK_PLAIN, check_code, chunks_of_length

SHOWN_LENGTH = 400
N0_OF_TAGS = bytes([1, 2, 3]) + bytes(29)


def repeated(told):
    """Bytes told as hex, or as a list of [bytes, how many times]."""
    if isinstance(told, str):
        return bytes.fromhex(told)
    return b"".join(bytes.fromhex(piece) * times for piece, times in told)


def file_of(recipe):
    """The file of a vector, out of what tells how it comes about (README of the vectors)."""
    data = bytearray(nacl.utils.randombytes_deterministic(HEADER_SIZE, bytes.fromhex(recipe["random"])))
    for offset, run in recipe["header"]:
        put(data, offset, bytes.fromhex(run))
    for chunk in recipe["chunks"]:
        data += sealed_chunk(chunk, bytes.fromhex(chunk.get("key", recipe["key"])))
    for edit in recipe["edits"]:
        make_edit(data, edit["do"], edit["at"], bytes.fromhex(edit["hex"]))
    if hashlib.sha256(data).hexdigest() != recipe["sha256"]:
        raise ValueError("the file does not come out as its vector says")
    return bytes(data)


def sealed_chunk(chunk, key):
    plain = repeated(chunk["plain"]).ljust(CHUNK_PLAIN, b"\0")
    nonce = struct.pack("<QB", chunk["index"], chunk["last"]) + bytes(15)
    return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, None, nonce, key)


def put(data, offset, run):
    data[offset:offset + len(run)] = run


def make_edit(data, what, offset, run):
    if offset < 0:
        offset += len(data) + (what == "insert")
    if what == "set":
        put(data, offset, run)
    elif what == "xor":
        put(data, offset, bytes(a ^ b for a, b in zip(data[offset:], run)))
    elif what == "insert":
        data[offset:offset] = run
    elif what == "cut":
        del data[offset:]
    else:
        raise ValueError("an edit that there is not")


def unhex(keys, *names):
    return [bytes.fromhex(keys[name]) for name in names]


def hexes(values):
    return [value.hex() for value in values]


def run_length(length, keys):
    return {"chunks": chunks_of_length(length)}


def run_code(hashed, keys):
    return {"code": check_code(bytes.fromhex(hashed), keys["typed"])}


def run_ratchet(psk, keys):
    psk = psk_at(chain_start(bytes.fromhex(psk), keys["receipts"]), keys["index"])
    of_index = IndexKeys(psk)
    return {"psk": psk.hex(), "tk": of_index.tk.hex(), "mk": of_index.mk.hex(), "wk": of_index.wk.hex(),
            "tag": tag_of(of_index.tk, N0_OF_TAGS).hex()}


def run_entry(raw, keys):
    entry = Entry(bytes.fromhex(raw))
    entry.check_table()
    return {"type": entry.type, "flags": entry.flags, "day": entry.day, "id": entry.id.hex(),
            "revision": entry.revision, "commitment": entry.commitment.hex(), "previous": entry.previous.hex(),
            "payload": not entry.is_erasure, "leaf": entry.leaf().hex()}


def run_text(told, keys):
    forms = forms_by_hash(bytes.fromhex(form) for form in keys.get("forms", ()))
    members = read_text(keys["type"], repeated(told), Body(keys["body_length"]), forms)
    return {"members": members} if isinstance(told, str) else {}


def run_note(raw, keys):
    checkpoint = verify_checkpoint(bytes.fromhex(raw), *unhex(keys, "log", "sign"))
    return {"size": str(checkpoint.size), "root": checkpoint.root.hex()}


def run_manifest(raw, keys):
    read = Manifest(bytes.fromhex(raw))
    return {"k": read.k, "n": read.n, "sign": read.sign.hex(), "dh": read.dh.hex(), "set_id": read.set_id.hex(),
            "number": read.number, "n0": read.n0, "n1": read.n1, "root": read.root.hex(), "payloads": read.payloads,
            "plain_bytes": read.plain_bytes, "indices": read.indices.hex(), "day": read.day,
            "header_hashes": hexes(read.header_hashes), "recipients": hexes(read.recipients),
            "peaks": hexes(read.peaks), "checkpoint": read.checkpoint.decode()}


def run_frames(told, keys):
    source = Cursor(repeated(told))
    reader = PayloadReader(PayloadStream(source), keys["plain_bytes"])
    payloads = []
    for head in reader.heads():
        hashes = reader.hashes(head)
        payload = Payload(head, list(reader.blocks(head)))
        payloads.append({"index": head.index, "salt": head.salt.hex(), "text_length": head.text_length,
                         "body_length": head.body_length, "hashes": b"".join(hashes).hex(),
                         "sha256": hashlib.sha256(payload.text + payload.body).hexdigest()})
    if any(source.data[source.position:]):
        raise damaged("something stands behind END")
    return payloads


def run_receipt_text(raw, keys):
    read = ReceiptText(bytes.fromhex(raw))
    told = {"archive": read.archive.hex(), "log": read.log.hex(), "number": read.number, "day": read.day,
            "size": read.size, "root": read.root.hex(),
            "stored": [[start, end, root.hex()] for start, end, root in read.stored],
            "wanted": [list(pair) for pair in read.wanted], "remarks": read.remarks}
    if read.bare:
        told["bare"] = [list(pair) for pair in read.bare]
    if read.withdrawn:
        told["withdrawn"] = [list(pair) for pair in read.withdrawn]
    if read.revoked is not None:
        told["revoked"] = read.revoked
    if read.next:
        told["next"] = hexes(read.next)
    if read.forms:
        told["forms"] = [[name, version, hashed.hex()] for name, version, hashed in read.forms]
    return told


def invite_fields(invite):
    return {"archive": invite.archive.hex(), "dh": invite.dh.hex(), "sign": invite.sign.hex(),
            "psk": invite.psk.hex(), "name": invite.name, "alias": invite.alias}


def run_invite(content, keys):
    return invite_fields(Invite(padded_content(bytes.fromhex(content))))


def run_invite_file(data, keys):
    return invite_fields(open_invite(bytes.fromhex(data), keys["words"]))


def archive_of(keys):
    archive = Archive(*unhex(keys, "archive_sign", "scalar", "psk"))
    if "renewed" in keys:
        archive.renew(bytes.fromhex(keys["next_scalar"]), forget=keys["renewed"] == "forgotten")
    return archive


def run_bundle(recipe, keys):
    archive = archive_of(keys)
    return {**archive.take(file_of(recipe)), **archive.held()}


def run_salvage(recipe, keys):
    archive = archive_of(keys)
    return {**archive.salvage(file_of(recipe)), **archive.held(), "lacking": archive.lacking()}


def run_sequence(recipes, keys):
    archive = archive_of(keys)
    steps = []
    for recipe in recipes:
        take = archive.salvage if recipe.get("salvage") else archive.take
        steps.append(result_of(take, file_of(recipe)))
    held = archive.held()
    if any(recipe.get("salvage") for recipe in recipes):
        held["lacking"] = archive.lacking()
    return {"steps": steps, "held": held}


def device_of(keys):
    return Device(*unhex(keys, "scalar", "device_sign", "psk", "archive_sign", "archive_dh"),
                  [bytes.fromhex(entry) for entry in keys["entries"]], keys.get("has", ()))


def run_receipt(recipe, keys):
    return device_of(keys).take(file_of(recipe))


def run_receipt_sequence(recipes, keys):
    device = device_of(keys)
    return {"steps": [result_of(device.take, file_of(recipe)) for recipe in recipes]}


GROUPS = {
    "length": run_length, "code": run_code, "ratchet": run_ratchet, "entry": run_entry, "text": run_text,
    "note": run_note, "manifest": run_manifest, "frames": run_frames, "receipt-text": run_receipt_text,
    "invite": run_invite, "envelope": run_bundle, "bundle": run_bundle, "salvage": run_salvage,
    "sequence": run_sequence, "receipt": run_receipt, "receipt-sequence": run_receipt_sequence,
    "invite-file": run_invite_file,
}


def result_of(run, *inputs):
    """What a vector expects, as this reader gives it."""
    try:
        return {"class": "ok", "content": run(*inputs)}
    except FormatError as error:
        return {"class": error.kind}


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def run_group(folder, group, classes):
    """Runs the vectors of a group; how many differ."""
    told = json.loads((folder / f"{group}.json").read_text(encoding="utf-8"))
    differing = 0
    for vector in told["vectors"]:
        keys = {**told["keys"], **vector.get("keys", {})}
        got, want = canonical(result_of(GROUPS[group], vector["input"], keys)), canonical(vector["expect"])
        classes[vector["expect"]["class"]] += 1
        if got != want:
            differing += 1
            line = f"{group}: {vector['name']}: got {got[:SHOWN_LENGTH]}, want {want[:SHOWN_LENGTH]}"
            print(line, file=sys.stderr)
    return differing


def main(arguments):
    if len(arguments) != 1:
        print("usage: vectors.py FOLDER", file=sys.stderr)
        return 2
    folder = pathlib.Path(arguments[0])
    if {path.stem for path in folder.glob("*.json")} != set(GROUPS):
        print("other groups than those that are known here", file=sys.stderr)
        return 1
    classes = collections.Counter()
    differing = sum(run_group(folder, group, classes) for group in GROUPS)
    counts = ", ".join(f"{name} {count}" for name, count in sorted(classes.items()))
    print(f"{sum(classes.values())} vectors ({counts}), {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
