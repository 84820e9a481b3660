#!/usr/bin/env python3
"""Goal of this test: nothing that is recorded stands in any file the programs write, in no form.

Two unlikely words, Latin and Cyrillic, are put into every text field of every type of record, into names
and contents of attachments, roles of links, aliases, names of archives, searches and passphrases. They must
not be found in UTF-8, UTF-16, base64, hexadecimal or compressed form in any file of the stores and what
travels between them, while a store is open, after the program was killed, and after it was closed. Nothing
is written to HOME, TMPDIR or the current folder. With strace, also files that were removed again are seen,
and every byte that was written. Bundles share no run of 16 bytes with each other or with the stores.
"""
import base64
import codecs
import json
import os
import random
import re
import select
import signal
import subprocess
import zlib
from fcntl import F_SETPIPE_SZ, fcntl

import programs
from programs import Store, archive, check, courier, device, files, main, read, start, write

LATIN, CYRILLIC = "Vortzwickel", "Жлабзвонкіс"
BOTH = f"{LATIN} {CYRILLIC}"
FORMS = os.path.join(os.path.dirname(__file__), "..", "..", "core", "forms")
TYPES = ("person", "case", "event", "testimony", "source", "consent")


# ---- looking ----

def shapes(word):
    """A word as it might stand in a file; the index of the search keeps folded copies."""
    for form in {word, word.lower(), word.upper()}:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "koi8-r", "cp1251"):
            yield form.encode(encoding, "ignore")
        plain = form.encode()
        yield plain.hex().encode()
        yield json.dumps(form)[1:-1].encode()
        for before in range(3):
            # The characters that depend on this word alone.
            yield base64.b64encode(bytes(before) + plain)[(0, 2, 3)[before]:-4]


SHAPES = sorted({shape for word in (LATIN, CYRILLIC) for shape in shapes(word) if len(shape) > 8})
FOUND = re.compile(b"|".join(map(re.escape, SHAPES)))


def found_in(data):
    """Whether a marker stands in the bytes, or in what comes out when they inflate from any byte on."""
    if FOUND.search(data):
        return True
    view = memoryview(data)
    for at in range(len(view)):
        try:
            if FOUND.search(zlib.decompressobj(-15).decompress(view[at:at + 2048], 65536)):
                return True
        except zlib.error:
            pass
    return False


def check_the_looking():
    """What looks for the markers finds them in each of the forms."""
    text = f"before {BOTH} after"
    for data in (text.encode(), text.encode("utf-16-le"), text.lower().encode("utf-16-be"),
                 zlib.compress(text.encode()), zlib.compressobj(wbits=31).compress(b"") +
                 zlib.compress(text.encode(), 1), json.dumps(text).encode(),
                 *(base64.b64encode(b"x" * n + text.encode()) for n in range(3)),
                 text.encode().hex().encode()):
        check(found_in(random.randbytes(100) + data + random.randbytes(100)), f"not found in {data}")


def scan(folder, seen):
    """Looks into every file below the folder that was not seen with the same content."""
    for path, digest in sorted(files(folder).items()):
        check(not FOUND.search(path.encode()), f"the name {path} tells what is recorded")
        if digest not in seen:
            check(not found_in(read(os.path.join(folder, path))), f"{path} holds what is recorded")
            seen.add(digest)


# ---- recording ----

def filled(fields, way):
    """A value for every field; texts hold the markers and the field's own name."""
    values = {"integer": 7, "decimal": 7.5, "date": "2024-07", "time": "14:30",
              "datetime": "2024-07-14T14:30+03:00"}
    out = {}
    for field in fields:
        name, kind = field["name"], field["type"]
        if kind == "text":
            out[name] = f"{way} {name} {BOTH}"
        elif kind in ("choice", "choices"):
            first = field["choices"][0]["name"]
            out[name] = first if kind == "choice" else [first]
        elif kind in ("group", "repeat"):
            inside = filled(field["fields"], f"{way} {name}")
            out[name] = inside if kind == "group" else [inside, inside]
        else:
            out[name] = values[kind]
    return out


class Scene:
    """Everything that is written lies in `watched`; what a person gives, and takes out, elsewhere."""

    def __init__(self, top):
        self.watched, self.given = os.path.join(top, "watched"), os.path.join(top, "given")
        for name in ("home", "tmp", "cwd", "office", "stick"):
            os.makedirs(os.path.join(self.watched, name))
        os.mkdir(self.given)
        os.environ.update(HOME=self.at("home"), TMPDIR=self.at("tmp"), SQLITE_TMPDIR=self.at("tmp"),
                          XDG_CACHE_HOME=self.at("home"), XDG_RUNTIME_DIR=self.at("tmp"))
        os.chdir(self.at("cwd"))
        self.seen = set()

    def at(self, *names):
        return os.path.join(self.watched, *names)

    def look(self):
        """Nothing but the stores and what travels was written, and none of it holds a marker."""
        for place, allowed in (("home", ["skrynia"]), ("tmp", []), ("cwd", [])):
            left = sorted(os.listdir(self.at(place)))
            check(left in (allowed, []), f"files in {place}: {left}")
        scan(self.watched, self.seen)

    def exchange(self):
        """Two archives, two devices (one of them waits in quarantine), all that can be recorded."""
        to = archive(self.at("office", "one"), f"Archive {BOTH}", passphrase=f"one {BOTH}")
        other = archive(self.at("office", "two"), f"Other {BOTH}", passphrase=f"two {BOTH}")
        words = to("invite", f"alias {LATIN}", self.at("stick", "letter"))
        by = device(self.at("home", "skrynia"), letter=self.at("stick", "letter"), words=words,
                    passphrase=f"three {BOTH}")
        more = other("invite", f"alias {LATIN}", self.at("stick", "letter2"))
        by("receive", self.at("stick", "letter2"), code=more)
        self.record(by)
        self.carry(by, to, other)
        # A second device with one invite waits for approval; its bundle lies in quarantine. The keys of
        # its first three were spent by the first device.
        late = device(self.at("office", "late"), letter=self.at("stick", "letter"), words=words)
        late("add", "person", "--from", "-", stdin=json.dumps({"title": BOTH}))
        for _ in range(3):
            late("export", self.at("stick", "spent"), "--all")
            os.unlink(self.at("stick", "spent"))
        late("export", self.at("stick", "late"), "--all")
        told = to.json("import", self.at("stick", "late"))[0]
        check(to.json("quarantine") and told["new"] == 0, f"no quarantine: {told}")
        by("passphrase", "--new-passphrase-fd", "0", stdin=f"four {BOTH}\n")
        by.passphrase = f"four {BOTH}"
        for place in (by, to):
            place("slot", "add", "--new-passphrase-fd", "0", stdin=f"five {BOTH}\n")
            place("slot", "remove", "2")
            place("rekey")
            check(place.json("verify")["ok"], "under new keys it does not verify")
        self.succeed()
        return by, to

    def succeed(self):
        """A small store, its backup, a store that is restored from it and one that is repaired."""
        small = device(self.at("office", "small"), passphrase=f"six {BOTH}")
        record = small("add", "testimony", "--from", "-", stdin=json.dumps({"title": BOTH, "text": BOTH * 500}))
        small("attach", record, os.path.join(self.given, f"{CYRILLIC}.txt"))
        small("backup", self.at("stick", "backup"))
        restored = Store("skrynia", self.at("office", "restored"), small.passphrase)
        restored("restore", self.at("stick", "backup"), "--insecure-test-kdf")
        with open(os.path.join(small.folder, "data"), "r+b") as data:
            data.seek(8192 + 4096 * 12)
            data.write(bytes(4096))
        small("repair", self.at("office", "repaired"))
        for store in (restored, Store("skrynia", self.at("office", "repaired"), small.passphrase)):
            check(store.json("verify")["ok"], "a new store does not verify")
        check(len(restored.json("search", BOTH)) == 1, "what was restored is not found")

    def record(self, by):
        """One record of each type with every field, changed once; links and attachments."""
        ids = []
        for kind in TYPES:
            with open(os.path.join(FORMS, kind + ".json"), encoding="utf-8") as form:
                record = filled(json.load(form)["fields"], kind)
            ids.append(by("add", kind, "--from", "-", stdin=json.dumps(record)))
            by("edit", ids[-1], f"notes=changed {BOTH}")
        for number, record in enumerate(ids):
            by("link", record, LATIN.lower(), ids[number - 1])
        for name, content in ((f"{BOTH}.txt", (BOTH + "\n").encode() * 5000),
                              (f"{LATIN}.docx", zlib.compress((BOTH + "\n").encode() * 5000)),
                              (f"{CYRILLIC}.txt", BOTH.encode("utf-16"))):
            attachment = by("attach", ids[0], write(os.path.join(self.given, name), content))
        by("extract", attachment, os.path.join(self.given, "back " + BOTH))
        check(len(by.json("search", BOTH)) == len(ids), "the search does not find the records")
        check(BOTH in by("show", ids[0]) and BOTH in by("history", ids[0]), "the markers are there")
        check(by.json("verify")["ok"], "the store does not verify")
        self.look()
        gone = by("add", "testimony", "--from", "-", stdin=json.dumps({"title": BOTH, "text": BOTH}))
        by("attach", gone, os.path.join(self.given, f"{CYRILLIC}.txt"))
        by("withdraw", gone)

    def carry(self, by, to, other):
        """Bundles out, receipts back."""
        code = by("export", self.at("stick", "bundle"))
        courier("check", "--code", code, self.at("stick", "bundle"))
        os.mkdir(self.at("stick", "card"))
        courier("copy", self.at("stick", "bundle"), self.at("stick", "card"))
        by("export", self.at("stick", "again"), "--all")
        by("export", self.at("stick", "third"), "--all")
        for number, place in enumerate((to, other)):
            place("import", self.at("stick", "bundle"), self.at("stick", "again"))
            check(len(place.json("search", BOTH)) == len(TYPES), "not all has arrived")
            place("receipt", f"alias {LATIN}", self.at("stick", f"reply{number}"))
            by("receive", self.at("stick", f"reply{number}"))
            check(place.json("verify")["ok"], "the archive does not verify")
        check(LATIN in by("status"), "the status names the archives")

    def while_open(self, store, *args, **more):
        """Looks while the program holds the store open with what it wrote, kills it, and looks again.
        It prints more than the pipe to here holds, so it waits for as long as nobody reads."""
        source, out = os.pipe()
        fcntl(out, F_SETPIPE_SZ, 4096)
        with store.run(*args, how=start, stdout=out, stderr=subprocess.DEVNULL, **more) as process:
            os.close(out)
            select.select([source], [], [])
            check(os.path.getsize(os.path.join(store.folder, "data-wal")) > 4096, "nothing is open")
            self.look()
            process.send_signal(signal.SIGKILL)
        os.close(source)
        self.look()


# ---- what strace saw ----

def check_trace(scene, path):
    """Every file that was opened for writing is where files may be; no write holds a marker, but one to a
    socket: these are pairs, between a receiver and its worker, since no other socket is ever made."""
    opened = written = 0
    line_of = re.compile(rb"^\d+ +(\w+)\((.*)\) += (-?\d+|\?)")
    # Where two processes call at once, the end of a line comes later.
    begun_of = re.compile(rb"^\d+ +(\w+)\((.*)( )<unfinished \.\.\.>$")
    with open(path, "rb") as trace:
        for line in trace:
            match = line_of.match(line) or begun_of.match(line)
            if not match or match[3].startswith(b"-"):
                continue
            call, args = match[1], match[2]
            texts = [codecs.escape_decode(text)[0] for text in re.findall(rb'"((?:[^"\\]|\\.)*)"', args)]
            if b"write" in call:
                target = re.match(rb"(\d+)<([^>]*)>", args)
                if target[2].startswith(b"socket:"):
                    continue
                if target[1] in (b"1", b"2") or target[2].startswith(scene.given.encode() + b"/"):
                    continue
                written += 1
                check(not any(FOUND.search(text) for text in texts), f"written: {args[:300]}")
            elif call in (b"socket", b"connect"):
                check(False, f"a socket: {args[:300]}")
            elif b"O_WRONLY" in args or b"O_RDWR" in args or not call.startswith(b"open"):
                opened += 1
                # A file without a name is made in a folder, and linked by its descriptor.
                nameless = b"O_TMPFILE" in args
                check_path(scene, call.decode(), [text + b"/nameless" if nameless else text for text in texts
                                                  if not re.fullmatch(rb"/proc/self/fd/\d+", text)])
    check(opened > 50 and written > 50, f"strace saw {opened} files and {written} writes")
    print(f"strace: {opened} files opened for writing, made, renamed or removed, {written} writes: "
          "none with a marker, none elsewhere")


def check_path(scene, call, paths):
    """All that is made, renamed or removed lies in a store, on the stick, or where it was asked for."""
    for path in paths:
        full = os.path.join(os.getcwd(), path.decode())
        where = os.path.relpath(full, scene.watched).split("/")
        check(full.startswith(scene.at("home", "skrynia")) or where[0] in ("office", "stick") or
              full == "/dev/null" or full.endswith(".gcda") or  # a build that counts lines
              re.fullmatch(re.escape(scene.given) + r"/(back .*|nameless|\.[0-9a-f]{16}\.part)", full),
              f"{call} of {full}")


def can_trace(log):
    """Whether strace is there and may trace."""
    try:
        return subprocess.run(["strace", "-o", log, "true"], check=False,
                              stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


# ---- bundles ----

def windows(path):
    """Every run of 16 bytes of a file."""
    data = read(path)
    return {data[at:at + 16] for at in range(len(data) - 15)}


def check_nothing_shared(scene):
    """Bundles of the same entries, replies, invites and stores: no two share a run of 16 bytes."""
    runs = {}
    for name in ("bundle", "again", "third", "late", "reply0", "reply1"):
        runs[name] = windows(scene.at("stick", name))
        for earlier in list(runs)[:-1]:
            check(not runs[name] & runs[earlier], f"{name} and {earlier} share 16 bytes")
    for store in (scene.at("home", "skrynia"), scene.at("office", "one")):
        for path in files(store):
            data = windows(os.path.join(store, path))
            # A bundle in quarantine lies under a key of its own, so that neither shares anything.
            check(not any(data & one for one in runs.values()), f"{path} shares 16 bytes with a bundle")


def test(top):
    check_the_looking()
    scene = Scene(top)
    log = os.path.join(top, "strace")
    traced = can_trace(log)
    if traced:
        # LeakSanitizer does not work under strace.
        os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
        programs.wrapper = ["strace", "-f", "-A", "-qq", "-y", "-s", "100000000", "-o", log, "-e",
                            "trace=open,openat,creat,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,"
                            "mkdirat,mknod,mknodat,rename,renameat,renameat2,truncate,write,pwrite64,"
                            "writev,pwritev,pwritev2,socket,connect"]
    by, to = scene.exchange()
    programs.wrapper = []
    os.environ.pop("ASAN_OPTIONS", None)
    scene.look()
    check_nothing_shared(scene)
    if traced:
        check_trace(scene, log)
    else:
        print("SKIPPED: strace is not there or may not trace; files that are removed again, and what "
              "goes to a file and is overwritten, were not looked at")

    # More ids than the program's own buffer and the pipe hold; more files than that to tell about.
    records = "".join(json.dumps({"title": f"{number} {BOTH}"}) + "\n" for number in range(2200))
    with open(write(os.path.join(top, "records"), records), "rb") as source:
        scene.while_open(by, "add", "person", "--from", "-", stdin=source)
    code = by("export", scene.at("stick", "many"))
    scene.while_open(to, "import", scene.at("stick", "many"), *[scene.at("stick", "bundle")] * 100,
                     scene.at("stick", "nothing"))
    courier("check", "--code", code, scene.at("stick", "many"))
    check(by.json("verify")["ok"] and to.json("verify")["ok"], "they verify after the kill")
    scene.look()
    check(len(scene.seen) > 20, "too few files were looked at")
    print(f"{len(scene.seen)} different files looked at: no marker in any of them")


main(test)
