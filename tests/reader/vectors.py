"""Goal of this test: a reader that follows sync/FORMAT.md alone (travel.py) says of each vector in
tests/vectors/bundle what the vector says: the same content, or the same class of error.

    python3 vectors.py FOLDER
"""
import hashlib
import json
import os
import sys

from nacl import bindings as sodium

import forms
import inner
import notes
import texts
import travel
import volume
from store import leaf, u64

N0 = bytes([1, 2, 3]).ljust(32, b"\0")


# ---- the bytes of a file (tests/vectors/bundle/README.md) ----

def pieces(hex_or_list):
    """Bytes that are told as hex, or as a list of [hex, how many times]."""
    told = hex_or_list if isinstance(hex_or_list, list) else [[hex_or_list, 1]]
    return b"".join(bytes.fromhex(piece) * count for piece, count in told)


def chunk_of(chunk, key):
    nonce = u64(chunk["index"]) + bytes([chunk["last"]]) + bytes(15)
    plain = pieces(chunk["plain"]).ljust(volume.PLAIN, b"\0")
    key = bytes.fromhex(chunk.get("key", key.hex()))
    return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, None, nonce, key)


def edit(data, how):
    piece, at = bytes.fromhex(how["hex"]), how["at"]
    if at < 0:
        at += len(data) + (how["do"] == "insert")
    if how["do"] == "cut":
        return data[:at]
    if how["do"] == "insert":
        return data[:at] + piece + data[at:]
    if how["do"] == "xor":
        piece = volume.xor(data[at:at + len(piece)], piece)
    return data[:at] + piece + data[at + len(piece):]


def file_of(made):
    data = sodium.randombytes_buf_deterministic(volume.HEADER, bytes.fromhex(made["random"]))
    for at, piece in made["header"]:
        data = edit(data, {"do": "set", "at": at, "hex": piece})
    data += b"".join(chunk_of(chunk, bytes.fromhex(made["key"])) for chunk in made["chunks"])
    for how in made["edits"]:
        data = edit(data, how)
    if hashlib.sha256(data).hexdigest() != made["sha256"]:
        raise ValueError("the file is not the one that the vector means")
    return data


# ---- what each group is run through ----

def plain(value):
    """As the vectors write it: bytes as hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def run_length(length, _):
    volume.need(volume.length_possible(length))
    return {"chunks": length // volume.CHUNK - 1}


def run_code(data, keys):
    code = volume.code_of(bytes.fromhex(data))
    typed = keys["typed"].replace(" ", "").replace("-", "")
    volume.need(typed == code.replace(" ", ""), "refused")
    return {"code": code}


def run_ratchet(data, keys):
    psk = volume.ratchet(bytes.fromhex(data), keys["receipts"], keys["index"])
    tag_key, mask_key, wrap_key = volume.index_keys(psk)
    return {"psk": psk, "tk": tag_key, "mk": mask_key, "wk": wrap_key, "tag": volume.tag_of(tag_key, N0)}


def run_entry(data, _):
    entry = inner.read_entry(bytes.fromhex(data))
    volume.need(entry, "malformed")
    return dict(entry, payload=entry["type"] != inner.ERASURE, leaf=leaf(bytes.fromhex(data)))


def forms_in(held):
    """Those of a list of texts that are some, by their hash."""
    out = {}
    for text in map(bytes.fromhex, held):
        try:
            out[forms.hash_of(text)] = texts.check_text(texts.FORM, text, 0)
        except volume.Refusal:
            pass
    return out


def run_text(data, keys):
    try:
        members = texts.check_text(keys["type"], pieces(data), keys["body_length"],
                                   forms=forms_in(keys.get("forms", [])))
    except volume.Refusal:
        raise volume.Refusal("malformed") from None
    return {} if isinstance(data, list) else {"members": members}


def run_note(data, keys):
    size, top = notes.checkpoint(bytes.fromhex(data), bytes.fromhex(keys["log"]), bytes.fromhex(keys["sign"]))
    return {"size": str(size), "root": top}


def run_manifest(data, _):
    manifest = inner.read_manifest(bytes.fromhex(data))
    manifest["checkpoint"] = manifest["checkpoint"].decode()
    return manifest


def run_frames(data, keys):
    return [{"index": index, "salt": salt, "text_length": len(text), "body_length": len(body),
             "hashes": b"".join(hashes), "sha256": hashlib.sha256(text + body).digest()}
            for index, salt, text, body, hashes in
            inner.read_payloads(volume.Cursor(bytes.fromhex(data)), keys["plain_bytes"], inner.ANY)]


def run_receipt_text(data, _):
    return notes.read_receipt_text(bytes.fromhex(data))


def run_invite(data, _):
    return travel.read_invite(bytes.fromhex(data).ljust(4040, b"\0"))


def run_invite_file(data, keys):
    return travel.open_invite(bytes.fromhex(data), keys["words"])


def archive_of(keys):
    given = [bytes.fromhex(keys[name]) for name in ("scalar", "psk", "archive_sign")]
    if "renewed" not in keys:
        return travel.Archive(*given)
    return travel.Archive(*given, bytes.fromhex(keys["next_scalar"]), keys["renewed"] == "forgotten")


def held(archive):
    logs = archive.logs.values()
    return {"logs": list(archive.logs),
            "entries": [item for log in logs for item in sorted(log.entries.items())],
            "payloads": [[position, text, len(body)] for log in logs
                         for position, (text, body) in sorted(log.payloads.items())],
            "malformed": [position for log in logs for position in sorted(log.malformed)],
            "erased": sorted(item for log in logs for item in log.erased)}


def lacking(archive):
    return [position for log in archive.logs.values() for position in sorted(log.lacking)]


def run_bundle(made, keys):
    archive = archive_of(keys)
    return dict(archive.read(file_of(made)), **held(archive))


def run_salvage(made, keys):
    archive = archive_of(keys)
    return dict(archive.salvage(file_of(made)), **held(archive), lacking=lacking(archive))


def outcome(run, *args):
    try:
        return {"class": "ok", "content": plain(run(*args))}
    except volume.Refusal as refusal:
        return {"class": refusal.args[0]}


def run_sequence(files, keys):
    archive, out = archive_of(keys), {}
    out["steps"] = [outcome(archive.salvage if made.get("salvage") else archive.read, file_of(made))
                    for made in files]
    out["held"] = held(archive)
    if any(made.get("salvage") for made in files):
        out["held"]["lacking"] = lacking(archive)
    return out


def device_of(keys):
    names = ("scalar", "device_sign", "psk", "archive_sign", "archive_dh")
    return travel.Device(*(bytes.fromhex(keys[name]) for name in names),
                         [bytes.fromhex(entry) for entry in keys["entries"]])


def run_receipt(made, keys):
    return device_of(keys).read(file_of(made))


def run_receipt_sequence(files, keys):
    device = device_of(keys)
    return {"steps": [outcome(device.read, file_of(made)) for made in files]}


RUNS = {"length": run_length, "code": run_code, "ratchet": run_ratchet, "entry": run_entry,
        "text": run_text, "note": run_note, "manifest": run_manifest, "frames": run_frames,
        "receipt-text": run_receipt_text, "invite": run_invite, "invite-file": run_invite_file,
        "envelope": run_bundle, "bundle": run_bundle, "salvage": run_salvage, "sequence": run_sequence,
        "receipt": run_receipt, "receipt-sequence": run_receipt_sequence}


def main(folder):
    counts, wrong = {}, 0
    found = {name[:-5] for name in os.listdir(folder) if name.endswith(".json")}
    if found != set(RUNS):
        sys.exit(f"the folder holds {sorted(found)}")
    for name, run in RUNS.items():
        with open(os.path.join(folder, name + ".json"), encoding="ascii") as file:
            group = json.load(file)
        for vector in group["vectors"]:
            got = outcome(run, vector["input"], {**group["keys"], **vector.get("keys", {})})
            want = vector["expect"]
            counts[want["class"]] = counts.get(want["class"], 0) + 1
            if got != want:
                wrong += 1
                print(f"{name}, \"{vector['name']}\": {str(got)[:400]}, not {str(want)[:400]}", file=sys.stderr)
    print(sum(counts.values()), "vectors:", json.dumps(counts, sort_keys=True))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
