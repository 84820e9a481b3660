#!/usr/bin/env python3
"""Goal of this test: a store on a medium that is read only, or in a folder that may not be written, opens for
reading, also with a write-ahead log that was left behind; it stays as it is to the byte.

Tried on a file system mounted read only (where this user may mount one) and in a folder and files without
write permission, as another user where this one is root. Every command that reads gives what it gave before,
and says once that nothing can be recorded; every command that changes something ends with exit code 74
before it asks for anything, and says what to do. The same for an archive.
"""
import os
import resource
import shutil
import signal
import subprocess
import sys

import programs
from programs import IO, Store, archive, check, device, files, main, write

NOBODY = 65534
ONLY_READ = "can only be read"
TO_GO_ON = "copy the whole folder to where it can be written, and use that copy alone"


def small(limit):
    """Files may not grow beyond that many bytes, as on a full disk."""
    def limit_it():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return {"preexec_fn": limit_it}


def leave_log(store, at):
    """Saves a record for which `data` finds no room: its pages stay in the write-ahead log."""
    room = os.path.getsize(os.path.join(store.folder, "data")) + 8192
    note = write(at("note"), '{"title": "In the log", "text": "%s"}' % ("слова " * 6000))
    ran = store.run("add", "testimony", "--from", note, **small(room))
    check(ran.code == 0 and "Make room" in ran.err, f"{ran.code}: {ran.err}")
    check(os.path.getsize(os.path.join(store.folder, "data-wal")) > 40_000, "no log was left")


def told(store, **how):
    """What every reading command gives, as text; each says once that the store can only be read."""
    found = {}
    device_store = store.program == "skrynia"
    records = store.json("list", **how)
    asked = [["list"], ["verify"], ["search", "title"]]
    asked += [["show", row["id"]] for row in records] + [["history", row["id"]] for row in records]
    asked += [["slot"], ["slot", "list"]]
    asked += [["status"]] if device_store else [["devices"], ["quarantine"], ["checkpoint"]]
    for args in asked:
        ran = store.run(*args, **how)
        check(ran.code == 0, f"{args}: exit code {ran.code}: {ran.err}")
        found[" ".join(args)] = ran.out
        times = ran.err.count(ONLY_READ)
        check(times == (1 if how else 0), f"{args} says {times} times that it only reads: {ran.err}")
    return found


def changes(store, at):
    """Commands that change a store, each with what it would otherwise wait for or write."""
    row = store.json("list")[0]["id"]
    keys = [["passphrase", "--new-passphrase-fd", "0"], ["rekey"], ["slot", "add", "--new-passphrase-fd", "0"],
            ["slot", "add", "--recovery"], ["slot", "remove", "2"]]
    if store.program == "skrynia":
        return [["add", "event", "title=T"], ["edit", row, "title=T"], ["link", row, "part-of", row],
                ["attach", row, at("photo.jpg")], ["withdraw", row], ["export", at("bundle")],
                ["export", "--all", at("bundle")], ["receive", at("photo.jpg")]] + keys
    return [["import", at("photo.jpg")], ["invite", "oak", at("letter")], ["approve", "birch"],
            ["receipt", "birch", at("reply")], ["renew"], ["renew", "--forget"]] + keys


def all_refused(store, args_of, at, **how):
    """None of them asks for the passphrase: it is not given."""
    for args in args_of:
        ran = programs.run(store.program, store.option, store.folder, "--no-input", *args, **how)
        check(ran.code == IO, f"{args}: exit code {ran.code}: {ran.err}")
        check(ONLY_READ in ran.err and TO_GO_ON in ran.err, f"{args}: {ran.err}")
        check("passphrase is needed" not in ran.err, f"{args} asks first: {ran.err}")
        check(ran.out == "", f"{args} prints {ran.out}")
    for name in ("bundle", "letter", "reply"):
        check(not os.path.lexists(at(name)), f"{name} was written")


def look(stores, expected, at, photo, **how):
    """Everything that this test promises, of the stores as they lie now, read only."""
    for store, args_of, told_before in zip(stores, expected["changes"], expected["told"]):
        before = files(store.folder)
        names = sorted(os.listdir(store.folder))
        check(told(store, **how) == told_before, f"{store.program} tells something else")
        all_refused(store, args_of, at, **how)
        check(files(store.folder) == before and sorted(os.listdir(store.folder)) == names,
              f"{store.program} changed something")
    out = at("out", "photo")
    by = stores[0]
    ran = by.run("extract", photo, out, **how)
    check(ran.code == 0, f"extract: {ran.err}")
    with open(out, "rb") as one, open(at("photo.jpg"), "rb") as other:
        check(one.read() == other.read(), "another photo was extracted")
    os.unlink(out)
    wrong = by.run("list", passphrase="wrong", **how)
    check(wrong.code == programs.WRONG_KEY, f"a wrong passphrase: {wrong.code}")


def mounted(top, stores, expected, at, photo):
    """On a file system that is read only."""
    medium = at("medium")
    os.mkdir(medium)
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", medium]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        print(f"no file system can be mounted here, not tried: {made.stderr.strip()}")
        return
    try:
        moved = []
        for store in stores:
            name = os.path.basename(store.folder)
            shutil.copytree(store.folder, os.path.join(medium, name))
            moved.append(Store(store.program, os.path.join(medium, name)))
        subprocess.run(["mount", "-o", "remount,ro", medium], check=True)
        look(moved, expected, at, photo, **{"env": dict(os.environ)})
    finally:
        subprocess.run(["umount", medium], check=True)


def forbidden(top, stores, expected, at, photo):
    """In folders that may not be written, as another user if this one is root."""
    how = {"env": dict(os.environ)}
    os.chmod(top, 0o711)
    if os.geteuid() == 0:
        # The build's own folder may be closed to others, and so may what leaves leaks to be found.
        own = at("bin")
        os.mkdir(own)
        for store in stores:
            shutil.copy(os.path.join(programs.BIN, store.program), own)
        programs.BIN = own
        how["env"]["ASAN_OPTIONS"] = "detect_leaks=0"
        how["preexec_fn"] = lambda: (os.setgroups([]), os.setgid(NOBODY), os.setuid(NOBODY))
        os.chown(at("out"), NOBODY, NOBODY)
        os.chmod(at("photo.jpg"), 0o644)
    for store in stores:
        for place, folders, names in os.walk(store.folder):
            for path in [place] + [os.path.join(place, name) for name in names]:
                os.chmod(path, 0o500 if os.path.isdir(path) else 0o400)
                if os.geteuid() == 0:
                    os.chown(path, NOBODY, NOBODY)
    look(stores, expected, at, photo, **how)
    # Files alone, as some programs copy them from a disc: the folder can be written.
    for store in stores:
        os.chmod(store.folder, 0o700)
    look(stores, expected, at, photo, **how)


def test(top):
    at = lambda *names: os.path.join(top, *names)
    os.mkdir(at("out"))
    write(at("photo.jpg"), os.urandom(100_000))
    office = archive(at("archive"))
    by = device(at("store"), office)
    person = by("add", "person", "title=A title", "name=Янка Выдуманы")
    case = by("add", "case", "title=The title of a case")
    by("link", person, "victim-of", case)
    photo = by("attach", person, at("photo.jpg"))
    by("edit", person, "title=Another title")
    by("export", at("first"))
    office("import", at("first"))
    leave_log(by, at)
    stores = [by, office]
    before = at("before")
    shutil.copytree(by.folder, before)
    args_of = [changes(store, at) for store in stores]
    expected = {"changes": args_of, "told": [told(store) for store in stores]}
    shutil.rmtree(by.folder)
    shutil.copytree(before, by.folder)  # with its log
    check(os.path.getsize(os.path.join(by.folder, "data-wal")) > 40_000, "the log is gone")
    mounted(top, stores, expected, at, photo)
    forbidden(top, stores, expected, at, photo)


if sys.platform != "linux":
    sys.exit("this test wants Linux")
main(test)
