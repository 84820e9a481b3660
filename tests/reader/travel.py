"""A second reader of what travels, which follows sync/FORMAT.md alone: what an archive makes of bundles, a device of
receipts, and of its invite. Volumes are in volume.py, notes in notes.py, the inner stream in inner.py, texts
in texts.py.

Every check that fails raises Refusal with the name of the error's class. The reader shares no code with the
programs. vectors.py runs it over tests/vectors/bundle.
"""
import re

import torn
from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from forms import Offers, hash_of, read_texts
from inner import ERASURE, MARK, MIB, grown, read_entry, read_manifest, read_payloads, unmarked
from notes import can_agree, check_cosigned, checkpoint, note_text, read_receipt_text, shown
from store import h, leaf, root, u32
from texts import CONTINUATION, FORM, check_text, read_json
from volume import (HEADER, Chain, Refusal, end_of_volume, length_possible, need, open_volume, subkey,
                    unseal_slot, verify)

# ---- bundles ----

class Log:
    """What an archive holds of one log."""

    def __init__(self, state):
        self.state = state
        self.entries, self.payloads, self.roots, self.malformed, self.erased = {}, {}, {}, set(), set()
        self.lacking = set()
        # Continuations: positions that are believed, and those that were and never are again.
        self.believed, self.disproved = set(), set()

    def size(self):
        size = 0
        while size in self.entries:
            size += 1
        return size

    def gaps(self):
        out, start = [], 0
        for position in sorted(self.entries):
            if position > start:
                out.append([start, position])
            start = position + 1
        return out

    def head(self, position):
        """The root at a position, where it is held."""
        if position <= self.size():
            return root([leaf(self.entries[i]) for i in range(position)])
        return self.roots.get(position)


class Archive:
    """Reads bundles of one device that it has invited."""

    def __init__(self, scalar, psk, sign, next_scalar=None, forgotten=False):
        self.scalars = [scalar] if next_scalar is None else [next_scalar] if forgotten else [next_scalar, scalar]
        self.forgotten = forgotten
        self.id = h(None, "archive id", sign, sodium.crypto_scalarmult_base(scalar))
        self.chain, self.logs, self.seen = Chain(psk), {}, {}

    def scalar(self, header, slot, keys):
        """That of the keys to which a bundle is sealed: the next, or those in force."""
        for scalar in self.scalars:
            if unseal_slot(header, slot, keys, scalar) is not None:
                return scalar
        raise Refusal("refused" if self.forgotten else "damaged")

    def read(self, data):
        need(length_possible(len(data)))
        found = self.chain.find(data[:HEADER])
        need(found, "refused")
        index, keys, slot = found
        file_hash = h(None, "file", data)
        if not keys:
            need(self.chain.spent[index][1] == file_hash, "refused")
            return self.known(index)
        inner, header_hash, set_id = open_volume(data, slot, keys, self.scalar(data[:HEADER], slot, keys))
        bundle = Bundle(inner, header_hash, set_id, self.id)
        result = self.take(bundle)
        self.chain.spend(index, file_hash)
        self.seen[index] = bundle, result["waiting"]
        return result

    def salvage(self, data):
        """What is left of a bundle that is damaged."""
        try:
            return dict(self.read(data), salvaged=False)
        except Refusal as refusal:
            need(refusal.args[0] == "damaged", refusal.args[0])
        need(len(data) >= 131072)
        found = self.chain.find(data[:HEADER])
        need(found and found[1], "refused")
        stream = torn.Torn(data, found[2], found[1], self.scalar(data[:HEADER], found[2], found[1]))
        start = stream.beginning()
        bundle = Bundle(start, stream.header_hash, stream.set_id, self.id)
        log = self.logs.get(bundle.log_id) or Log("waiting" if self.logs else "enrolled")
        need(log.state == "enrolled" and not bundle.forks(log))
        stream.at = start.at
        bundle.payloads, complete = torn.read(stream, bundle.manifest, bundle.committed)
        self.logs[bundle.log_id] = log
        n0, held = bundle.manifest["n0"], set(log.entries)
        new, known = bundle.keep(log)
        if not complete:
            log.lacking.update(n0 + i for i in range(len(bundle.entries))
                               if n0 + i not in held and bundle.committed(i))
        self.settle()
        return self.result(bundle, log, new=new, known=known, salvaged=True)

    def settle(self):
        for log_id, each in self.logs.items():
            settle(each, log_id, self.logs)

    def result(self, bundle, log, **more):
        out = {"bundle": bundle.manifest["number"], "new": 0, "known": 0, "known_file": False,
               "waiting": False, "fork": log.state == "frozen", "gaps": log.gaps()}
        out.update(more)
        return out

    def known(self, index):
        bundle, waiting = self.seen[index]
        manifest = bundle.manifest
        known = 0 if waiting else manifest["n1"] - manifest["n0"]
        return self.result(bundle, self.logs[bundle.log_id], known_file=True, waiting=waiting, known=known)

    def take(self, bundle):
        log = self.logs.get(bundle.log_id) or Log("waiting" if self.logs else "enrolled")
        waiting = log.state != "enrolled"
        bundle.finish()
        if not waiting and bundle.forks(log):
            log.state, waiting = "frozen", True
        self.logs[bundle.log_id] = log
        if waiting:
            self.settle()
            return self.result(bundle, log, waiting=True)
        new, known = bundle.keep(log)
        log.lacking -= set(range(bundle.manifest["n0"], bundle.manifest["n1"]))
        self.settle()
        return self.result(bundle, log, new=new, known=known)


class Bundle:
    """One inner stream, verified from its first byte to its last."""

    def __init__(self, inner, header_hash, set_id, archive_id):
        length = inner.number(4)
        need(0 < length <= 65536, "limit")
        encoded, signature = inner.take(length), inner.take(64)
        self.inner, self.manifest = inner, read_manifest(encoded)
        manifest = self.manifest
        verify(manifest["sign"], signature, b"skrynia bundle 1\0" + encoded)
        need(manifest["k"] == 1 and manifest["n"] == 1, "config")
        need(manifest["header_hashes"] == [header_hash] and manifest["set_id"] == set_id)
        need(archive_id in manifest["recipients"], "refused")
        self.log_id = h(None, "log id", manifest["sign"], manifest["dh"])
        need(checkpoint(manifest["checkpoint"], self.log_id, manifest["sign"]) ==
             (manifest["n1"], manifest["root"]))
        count = manifest["n1"] - manifest["n0"]
        self.entries = [inner.take(96) for _ in range(count)]
        self.roots = grown(manifest["n0"], manifest["peaks"], map(leaf, self.entries))
        need(self.roots[-1] == manifest["root"])
        self.payloads = {}

    def committed(self, index):
        need(index < len(self.entries))
        entry = read_entry(self.entries[index])
        return entry if entry and entry["type"] != ERASURE else None

    def finish(self):
        manifest, bytes_read, indices = self.manifest, 0, []
        for index, _, text, body, _ in read_payloads(self.inner, manifest["plain_bytes"], self.committed):
            indices.append(index)
            need(len(indices) <= manifest["payloads"])
            bytes_read += len(text) + len(body)
            if self.committed(index):
                self.payloads[index] = text, body
        need(len(indices) == manifest["payloads"] and bytes_read == manifest["plain_bytes"])
        need(manifest["indices"] == h(None, "indices", *map(u32, indices)))
        end_of_volume(self.inner)

    def forks(self, log):
        for i, top in enumerate(self.roots):
            held = log.head(self.manifest["n0"] + i)
            if held is not None and held != top:
                return True
        return any(log.entries.get(self.manifest["n0"] + i, entry) != entry
                   for i, entry in enumerate(self.entries))

    def keep(self, log):
        """(new, known)"""
        n0, new = self.manifest["n0"], 0
        for at, top in enumerate(self.roots):
            log.roots[n0 + at] = top
        for i, data in enumerate(self.entries):
            if n0 + i not in log.entries:
                new += 1
                log.entries[n0 + i] = data
        for index, payload in self.payloads.items():
            log.payloads.setdefault(n0 + index, payload)
        return new, len(self.entries) - new


def check_statement(value, position, log_id, logs):
    """Whether a continuation may stand at its place, and what is held says nothing else."""
    need((value["log"] == log_id.hex()) == (position == 0) and value["log"] != value["continues"])
    old = logs.get(bytes.fromhex(value["continues"]))
    if old and value["size"] <= old.size():
        need(old.head(value["size"]).hex() == value["root"])


def forms_of(log, fields, types):
    """The forms that a log holds, by their hash."""
    out = {}
    for position, (text, body) in log.payloads.items():
        entry = fields[position]
        if entry["id"] in log.erased or not types[entry["id"]] == entry["type"] == FORM:
            continue
        try:
            out[hash_of(text)] = check_text(FORM, text, len(body))
        except Refusal:
            pass
    return out


def settle(log, log_id, logs):
    """What of a log is marked, what is erased, and what is lacking no more."""
    fields = {position: read_entry(data) for position, data in sorted(log.entries.items())}
    before, types, log.malformed = {}, {}, set()
    for position, entry in fields.items():
        if not entry:
            log.malformed.add(position)
            continue
        earlier = before.get(entry["id"])
        if earlier is not None and entry["revision"] == fields[earlier]["revision"] + 1 and \
                entry["previous"] != leaf(unmarked(log.entries[earlier])):
            log.malformed.add(position)
        before[entry["id"]] = position
        if entry["type"] == ERASURE:
            log.erased.add(entry["id"])
        types.setdefault(entry["id"], entry["flags"] & ~MARK if entry["type"] == ERASURE else entry["type"])
    forms = forms_of(log, fields, types)
    for position in sorted(log.payloads):
        entry, (text, body) = fields[position], log.payloads[position]
        if entry["id"] in log.erased:
            del log.payloads[position]
            log.believed.discard(position)
            continue
        if types[entry["id"]] != entry["type"]:
            log.malformed.add(position)
        try:
            value = check_text(entry["type"], text, len(body), body, forms)
            if entry["type"] == CONTINUATION:
                check_statement(value, position, log_id, logs)
                need(position not in log.disproved and
                     (position in log.believed or len(log.believed) < 64))
                log.believed.add(position)
        except Refusal:
            log.malformed.add(position)
            if entry["type"] == CONTINUATION:
                log.disproved.add(position)
                log.believed.discard(position)
    log.lacking = {position for position in log.lacking
                   if position not in log.payloads and fields[position]["id"] not in log.erased}


# ---- receipts ----

class Device:
    """Reads the receipts of one archive that has invited it."""

    def __init__(self, scalar, sign, psk, archive_sign, archive_dh, entries):
        self.scalar, self.sign = scalar, sign
        self.log_id = h(None, "log id", sign, sodium.crypto_scalarmult_base(scalar))
        # Pairs of the archive: X25519 and Ed25519 key.
        self.in_force, self.announced, self.before = [archive_dh, archive_sign], None, None
        self.archive_id = h(None, "archive id", archive_sign, archive_dh)
        self.chain = Chain(subkey(psk, 5))
        self.leaves = [leaf(entry) for entry in entries]
        self.number, self.acknowledged, self.wanted, self.revoked = 0, set(), set(), None
        self.offers = Offers()

    def read(self, data):
        need(length_possible(len(data)))
        found = self.chain.find(data[:HEADER])
        need(found, "refused")
        index, keys, slot = found
        file_hash = h(None, "file", data)
        if not keys:
            need(self.chain.spent[index][1] == file_hash, "refused")
            return self.result(0, 0, True, False, self.revoked)
        inner, _, _ = open_volume(data, slot, keys, self.scalar)
        parts = []
        for _ in range(2):
            length = inner.number(4)
            need(length <= MIB, "limit")
            parts.append(inner.take(length))
        texts = read_texts(inner)
        end_of_volume(inner)
        name = "skrynia-archive/" + self.archive_id.hex()
        pair, text = self.signer(parts[0], name)
        receipt = read_receipt_text(text.encode())
        need(receipt["archive"] == self.archive_id and receipt["log"] == self.log_id, "refused")
        had = [key for old in (pair, self.in_force, self.before) if old for key in old]
        need(not any(key in had for key in receipt.get("next", [])))
        if parts[1]:
            check_cosigned(parts[1], name, pair[1])
            checkpoint(parts[1], self.log_id, self.sign)
        lines = receipt.get("forms", [])
        need([hash_of(text) for text in texts] == [known_by for _, _, known_by in lines])
        result = self.compare(receipt, pair, texts)
        if not result["older"] and not result["rollback"]:
            self.chain.spend(index, file_hash)
        return result

    def signer(self, note, name):
        """(pair of keys, text)"""
        for pair in (self.announced, self.in_force, self.before):
            try:
                text = note_text(note, name, pair[1]) if pair else None
            except Refusal:
                continue
            if text is not None:
                need(pair is not self.before, "refused")
                return pair, text
        raise Refusal("damaged")

    def take_keys(self, pair, following):
        if pair is self.announced:
            self.before, self.in_force, self.announced = self.in_force, pair, None
        if following and not self.announced:
            self.announced = following

    def result(self, number, size, older, rollback, revoked):
        return {**({"announced": self.announced} if self.announced else {}),
                **({"in_force": self.in_force} if self.before else {}), "number": number, "size": size, "acknowledged": len(self.acknowledged),
                "wanted": len(self.wanted), "older": older, "rollback": rollback,
                **({} if revoked is None else {"revoked": revoked}),
                **({"forms": self.offers.offered()} if self.offers.offered() else {})}

    def compare(self, receipt, pair, texts):
        own = len(self.leaves)
        heads = [(receipt["size"], receipt["root"])] + [(to, top) for _, to, top in receipt["stored"]]
        same = all(size <= own and root(self.leaves[:size]) == top for size, top in heads)
        older = receipt["number"] <= self.number
        if not older and self.announced and pair is self.in_force:
            need(receipt.get("next") == self.announced, "refused")
        # The earliest position that was ever said counts; that of another history is only told.
        said = [position for position in (self.revoked, None if older else receipt.get("revoked"))
                if position is not None]
        revoked = min(said) if said else None
        if same and not older:
            self.take_keys(pair, receipt.get("next"))
            self.revoked = revoked
            self.number = receipt["number"]
            self.offers.take(receipt.get("forms", []), texts, read_json)
            self.acknowledged.update(*(range(start, to) for start, to, _ in receipt["stored"]))
            self.wanted = {position for start, to in receipt["wanted"]
                           for position in range(start, min(to, own))}
        return self.result(receipt["number"], receipt["size"], older, not same, revoked)


# ---- invites ----

def read_name(field):
    length, rest = field[0], field[1:]
    need(1 <= length <= 100 and not any(rest[length:]) and 0 not in rest[:length])
    try:
        text = rest[:length].decode()
    except UnicodeDecodeError:
        raise Refusal("damaged") from None
    need(shown(text))
    return text


def read_invite(plain):
    version = int.from_bytes(plain[:4], "little")
    need(version <= 1, "config")
    need(version == 1)
    sign = plain[36:68]
    verify(sign, plain[334:398], b"skrynia invite 1\0" + plain[:334])
    need(not any(plain[398:]))
    out = {"archive": plain[302:334], "dh": plain[4:36], "sign": sign, "psk": plain[68:100],
           "name": read_name(plain[100:201]), "alias": read_name(plain[201:302])}
    need(can_agree(out["dh"]))
    return out


def open_invite(data, words):
    need(len(data) == 4096)
    line = " ".join(re.split("[ \t\r\n-]+", words.strip(" \t\r\n-"))).encode().lower()
    slow = sodium.crypto_pwhash_alg(32, line, data[:16], 3, 262144 * 1024,
                                    sodium.crypto_pwhash_ALG_ARGON2ID13)
    try:
        plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            data[16:4056] + data[4080:], None, data[4056:4080], h(slow, "invite"))
    except CryptoError:
        raise Refusal("wrong_key") from None
    return read_invite(plain)
