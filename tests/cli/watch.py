"""Goal of this test: `watch` imports what appears in a folder, each file once and told of once, in whatever
pieces and order it comes; the archive is closed in between; a damaged file, a full disk, a busy archive and
a folder that goes away are told of and survived; the folder is as its owner left it; a signal ends it.

Nothing depends on how long things take: what has to come is waited for, and that nothing else came is seen
when the next thing has.
"""
import json
import os
import resource
import shutil
import signal
import subprocess
import time

from programs import (MISSING, PASSPHRASE, SANITIZED, USAGE, WRONG_KEY, archive, check, device, expected, files,
                      main, read, start, write)
from watcher import PATIENCE, Watcher

MARKER = "Zhyvitsa7Kvetka"


def state(folder):
    """What an owner would see changed in a folder."""
    rows = {}
    for place, folders, names in os.walk(folder):
        for name in folders + names:
            path = os.path.join(place, name)
            look = os.lstat(path)
            rows[path] = (look.st_mode, look.st_size, look.st_mtime_ns, look.st_ctime_ns, look.st_ino)
    return rows, os.lstat(folder).st_mtime_ns


def bundles(by, top, count, **fields):
    """Exports, one new record in each."""
    paths = []
    for number in range(count):
        by("add", "testimony", "--from", "-", stdin=json.dumps({"title": MARKER, **fields}))
        paths.append(os.path.join(top, f"made{len(os.listdir(top))}.{number}"))
        by("export", paths[-1])
    return paths


def in_pieces(source, target, pieces):
    """Copies as a slow stick does."""
    content = read(source)
    size = len(content) // pieces + 1
    with open(target, "wb", buffering=0) as file:
        for at in range(0, len(content), size):
            file.write(content[at:at + size])
            time.sleep(0.2)


def strange(inbox, source):
    """What a folder may hold beside bundles: none of it is to be touched, and all but the last two not
    to be opened."""
    at = lambda name: os.path.join(inbox, name)
    os.mkdir(at("folder"))
    shutil.copy(source, at("folder/inside"))
    os.symlink(source, at("link"))
    os.symlink(inbox, at("loop"))
    os.symlink("nowhere", at("broken"))
    os.mkfifo(at("pipe"))
    shutil.copy(source, at(".0123456789abcdef.part"))
    write(at(b"raw\xff\x1b[31m".decode(errors="surrogateescape")), "no bundle")
    write(at("empty"), "")


def arriving(office, by, top, inbox):
    """Bundles that come in every way; then the same watch, with trouble around it."""
    first, second, third, fourth = bundles(by, top, 4)
    at = lambda name: os.path.join(inbox, name)
    shutil.copy(first, at("first"))
    strange(inbox, second)
    whole = read(second)
    write(at("cut"), whole[:100_000])
    write(at("damaged"), whole[:-1] + bytes([whole[-1] ^ 1]))
    before = state(inbox)
    watcher = Watcher(office, inbox, "--json")
    watcher.hear("watching")
    rows = [watcher.told() for _ in range(5)]
    check(sorted((os.path.basename(row["file"]), row["new"], row["error"]) for row in rows) ==
          [("cut", 0, "damaged"), ("damaged", 0, "damaged"), ("empty", 0, "damaged"), ("first", 1, None),
           ("raw<0xff><U+001B>[31m", 0, "damaged")], f"{rows}")
    check(state(inbox) == before, "it changed something in the folder")
    check(len(office.json("--wait", "60", "list")) == 1, "the archive is not closed in between")

    # What grew or changed is a new file; in pieces, whatever is told of while they come.
    write(at("cut"), whole)
    shutil.copy(fourth, at(".hidden"))
    os.rename(at(".hidden"), at("renamed"))
    in_pieces(third, at("pieces"), 12)
    come = {"cut", "renamed", "pieces"}
    while come:
        row = watcher.told()
        name = os.path.basename(row["file"])
        check(name == "pieces" or (row["error"], row["new"]) == (None, 1), f"{row}")
        check(name in come and row["new"] == (row["error"] is None), f"{row}")
        come -= {name} if row["error"] is None else set()
    before = state(inbox)
    in_trouble(office, by, top, inbox, watcher)
    check(watcher.end() == [], "it told of a file more than once")
    for path, look in before[0].items():
        check(state(inbox)[0].get(path) == look, f"{path} was changed")


def in_trouble(office, by, top, inbox, watcher):
    """A busy archive, a full disk, a folder that goes away and comes back."""
    fifth, sixth, seventh = bundles(by, top, 3, text=os.urandom(400_000).hex())
    at = lambda name: os.path.join(inbox, name)
    source, ours = os.pipe()
    with office.run("--wait", "60", "search", how=start, stdin=source, stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE) as holder:
        os.close(source)
        check(b"unlocks fast" in holder.stderr.readline(), "it says when it is open")
        shutil.copy(fifth, at("fifth"))
        watcher.hear("in use by another program. It is waited for.")
        os.close(ours)
        holder.stderr.read()
    watcher.taken("fifth", 1)

    resource.prlimit(watcher.process.pid, resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    shutil.copy(sixth, at("sixth"))
    row = watcher.told()
    check((os.path.basename(row["file"]), row["new"], row["error"]) == ("sixth", 0, "full"), f"{row}")
    check("no space left" in watcher.hear("sixth") and "Make room; it is tried again." in watcher.heard[-1],
          watcher.heard[-1])
    have = len(office.json("--wait", "60", "list"))
    check(have == 5, f"{have}, not 5: a full disk left a part of a bundle")
    resource.prlimit(watcher.process.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    watcher.taken("sixth", 1)

    away = inbox + ".away"
    os.rename(inbox, away)
    watcher.hear("It is waited for")
    shutil.copy(seventh, os.path.join(away, "seventh"))
    shutil.copy(seventh, os.path.join(away, "twice"))
    os.rename(away, inbox)
    watcher.hear("is there again.")
    watcher.taken("seventh", 1)
    watcher.taken("twice", 0)
    shutil.copy(seventh, at("vanishing"))
    os.unlink(at("vanishing"))
    forgets(watcher)


def forgets(watcher):
    """While it waits, its memory holds nothing of what was imported, only what was typed to open the archive.
    Where the system lets nobody look, that is not seen; nor under sanitizers, which keep what was freed."""
    if SANITIZED:
        return
    time.sleep(1)  # nothing is judged by it: what is looked for must not be there then or later
    typed = False
    try:
        with open(f"/proc/{watcher.process.pid}/mem", "rb", buffering=0) as memory, \
                open(f"/proc/{watcher.process.pid}/maps", encoding="utf-8") as maps:
            for line in maps:
                span, *_, = line.split()
                begin, end = (int(part, 16) for part in span.split("-"))
                try:
                    memory.seek(begin)
                    content = memory.read(end - begin)
                except (OSError, OverflowError):
                    continue  # the kernel's own pages
                check(MARKER.encode() not in content, f"a record is in its memory: {line}")
                typed = typed or PASSPHRASE.encode() in content
    except PermissionError:
        return
    check(typed, "nothing of its memory could be looked at")


def restarted(office, inbox):
    """As text; everything in the folder is known, and is told of once; Ctrl-C ends it."""
    count = len(office.json("list"))
    watcher = Watcher(office, inbox)
    known = set()
    for _ in range(8):
        line = watcher.line()
        check("imported before; 0 new, 1 known" in line, line)
        known.add(line.split(": ")[0])
    check(len(known) == 8, f"{known}")
    check(watcher.end(signal.SIGINT) == [], "it told of a file twice")
    check(len(office.json("list")) == count, "a restart imported something twice")


def refused(office, by, top, inbox):
    """What it does not begin with, and a passphrase that is changed while it waits."""
    for code, folder, words in ((MISSING, inbox + ".none", "cannot be opened"),
                                (USAGE, office.folder, "is the archive's own folder"),
                                (USAGE, os.path.join(office.folder, "media"), "is the archive's own folder"),
                                (MISSING, os.path.join(inbox, "first"), "cannot be opened")):
        ran = expected(office.run("watch", folder), code, ["watch", folder])
        check(words in ran.err and ran.out == "", f"{folder}: {ran.err}")
    ran = expected(office.run("watch", inbox, passphrase="another"), WRONG_KEY, ["watch"])
    check("watching" not in ran.err, ran.err)
    empty = os.path.join(top, "empty")
    os.mkdir(empty)
    watcher = Watcher(office, empty)
    watcher.hear("watching")
    office("--wait", "60", "passphrase", "--new-passphrase-fd", "0", stdin="a second passphrase\n")
    shutil.copy(bundles(by, top, 1)[0], os.path.join(empty, "bundle"))
    watcher.hear("wrong passphrase")
    check(watcher.process.wait(PATIENCE) == WRONG_KEY, "a passphrase that opens nothing any more")
    office.passphrase = "a second passphrase"
    office("import", os.path.join(empty, "bundle"))


def test(top):
    inbox, made = os.path.join(top, "inbox"), os.path.join(top, "made")
    os.mkdir(inbox)
    os.mkdir(made)
    office = archive(os.path.join(top, "archive"))
    by = device(os.path.join(top, "store"), office)
    arriving(office, by, made, inbox)
    restarted(office, inbox)
    refused(office, by, made, inbox)
    check(len(office.json("list")) == len(by.json("list")) == 8, "records are missing, or there twice")
    check(office.json("verify")["ok"], "verify at the end")
    check(len(files(office.folder)) == len({"keys", "data"}), "something was left in the archive's folder")


main(test)
