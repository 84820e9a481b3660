#!/usr/bin/env python3
"""Goal of this test: a documenter whose store is broken is told which file is wrong and what to do next.

Each file of a store is damaged, cut, emptied, taken away, exchanged, or replaced by a folder, a link or a
pipe. Every command that opens it ends with the right exit code, names the file, says what was kept and what
to do, writes nothing, and does not wait for anything. A store with a damaged attachment can be read, all but
that; verify names it. An older 'data' that is put back alone takes no later attachment away, and neither does
the media folder of another store lose anything. Files of others in the folder are named, and are no damage.
"""
import json
import os
import shutil
import time

from programs import DAMAGED, MISSING, archive, check, device, files, main, read, run, write

LIMIT_S = 60  # far beyond what any command here takes; a pipe would be waited for without end
COPY_FIRST = "Nothing was changed. Copy the whole folder of the store before anything else."
AS_A_WHOLE = "put the folder back as a whole"
OLDER_KEYS = "put an older 'keys' into the copy"


def mkfifo(path):
    os.mkfifo(path)


def link(path):
    os.symlink(path + ".moved", path)


def flip(path):
    whole = bytearray(read(path))
    whole[len(whole) // 2] ^= 1
    write(path, whole)


def cut(path):
    write(path, read(path)[:-1])


def empty(path):
    write(path, b"")


def moved_first(make):
    """Puts something else where the file was."""
    def change(path):
        os.rename(path, path + ".moved")
        make(path)
    return change


CHANGES = {
    "flipped": flip,
    "cut": cut,
    "empty": empty,
    "a folder": moved_first(os.mkdir),
    "a pipe": moved_first(mkfifo),
    "a link": moved_first(link),
}


def listing(folder):
    """What a folder holds, without reading what would be waited for."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in folders + names:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder)] = os.lstat(path).st_mode, os.lstat(path).st_size
    return found


def all_say(store, code, name, *words):
    """Every one of these commands ends with that code and the words, and changes nothing."""
    before = listing(store.folder)
    for args in (["list"], ["verify"], ["add", "event", "title=T"], ["search", "t"]):
        began = time.monotonic()
        ran = store.run(*args)
        check(time.monotonic() - began < LIMIT_S, f"{args} waited")
        check(ran.code == code, f"{name}: {args}: exit code {ran.code}: {ran.err}")
        for word in (name, *words):
            check(word in ran.err, f"{name}: {args} does not say '{word}': {ran.err}")
        check(ran.out == "", f"{name}: {args} prints {ran.out}")
    check(listing(store.folder) == before, f"{name}: something was changed")


def test_parts(store, kept):
    for name in ("keys", "data"):
        for what, change in CHANGES.items():
            if (name, what) == ("data", "flipped"):
                continue  # which page it is decides whether it opens: see below
            change(os.path.join(store.folder, name))
            all_say(store, DAMAGED, f"/{name}: ", COPY_FIRST)
            put_back(store, kept)
        os.unlink(os.path.join(store.folder, name))
        all_say(store, MISSING, f"/{name}", OLDER_KEYS if name == "keys" else AS_A_WHOLE)
        put_back(store, kept)
    whole = bytearray(read(os.path.join(store.folder, "data")))
    whole[8192 + 2000] ^= 1  # in page 1
    write(os.path.join(store.folder, "data"), whole)
    all_say(store, DAMAGED, "/data: page 1 is damaged", COPY_FIRST)
    put_back(store, kept)
    os.rename(os.path.join(store.folder, "media"), os.path.join(store.folder, "media.moved"))
    os.symlink("media.moved", os.path.join(store.folder, "media"))
    all_say(store, DAMAGED, "/media: a link has the place of a folder", COPY_FIRST)
    put_back(store, kept)


def put_back(store, kept):
    shutil.rmtree(store.folder)
    shutil.copytree(kept, store.folder)


def test_other_store(store, kept, stranger):
    for name in ("keys", "data"):
        shutil.copy(os.path.join(stranger.folder, name), os.path.join(store.folder, name))
        all_say(store, DAMAGED, "/data: its beginning is damaged, or belongs to another store",
                COPY_FIRST)
        put_back(store, kept)


def test_page(store, kept):
    """A page of a record's text: the rest can be read, and verify says which page."""
    path = os.path.join(store.folder, "data")
    pages = (os.path.getsize(path) - 8192) // 4096
    told = 0
    for page in range(1, pages):
        whole = bytearray(read(path))
        whole[8192 + 4096 * page + 100] ^= 1
        write(path, whole)
        ran = store.run("verify")
        check(ran.code == DAMAGED, f"page {page + 1}: {ran.code}")
        said = ran.out + ran.err
        check(f"data: page {page + 1} is damaged" in said or "data: page " in ran.err,
              f"page {page + 1}: {said}")
        check(COPY_FIRST in ran.err, f"page {page + 1}: {ran.err}")
        told += "found" in ran.err
        put_back(store, kept)
    check(told > pages // 2, "verify told of few pages")


def test_attachment(store, kept, photo, at):
    folder = os.path.join(store.folder, "media")
    name = os.listdir(folder)[0]
    changes = {**CHANGES, "missing": os.unlink}
    for what, change in changes.items():
        change(os.path.join(folder, name))
        ran = store.run("verify")
        check(ran.code == DAMAGED and name in ran.out, f"{what}: verify: {ran.code}, {ran.out}")
        ran = store.run("extract", photo, at("photo"))
        code = MISSING if what == "missing" else DAMAGED
        check(ran.code == code and name in ran.err, f"{what}: extract: {ran.code}, {ran.err}")
        check("folder" in ran.err and "whole" in ran.err, f"{what}: extract says {ran.err}")
        check(not os.path.lexists(at("photo")), f"{what}: something was extracted")
        check(store.json("list") != [], f"{what}: the records cannot be read")
        put_back(store, kept)


def test_strays(store):
    """What others put into the folder is named, and nobody is sent to repair what is whole."""
    for name in (".DS_Store", "Thumbs.db", "data-journal", os.path.join("media", "Thumbs.db")):
        path = write(os.path.join(store.folder, name), b"x" * 100)
        ran = store.run("verify")
        check(ran.code == DAMAGED and f"{name}: this file does not belong to the store" in ran.out, ran.out)
        check("delete it" in ran.out and "Nothing of the store is damaged" in ran.err, ran.err)
        check("repair" not in ran.err and COPY_FIRST not in ran.err, f"{name}: {ran.err}")
        check(json.loads(store.run("verify", "--json").out)["ok"] is False, f"{name} is not told")
        # With damage beside it, damage is what is advised on.
        if os.path.dirname(name) == "":
            medium = os.path.join(store.folder, "media", sorted(os.listdir(os.path.join(store.folder, "media")))[0])
            whole = read(medium)
            write(medium, whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
            check(COPY_FIRST in store.run("verify").err, "damage is not told for a stray file")
            write(medium, whole)
        os.unlink(path)
    check(store.json("verify")["ok"], "it does not verify any more")


def test_media_of_another(store, stranger, at):
    """Two stores with each other's media folder: neither takes away what is not its own, and put back both
    are whole."""
    stranger("attach", stranger("add", "event", "title=Far"), write(at("far.jpg"), os.urandom(5000)))
    places = [os.path.join(one.folder, "media") for one in (store, stranger)]
    before = [files(place) for place in places]
    check(all(before) and not set(before[0]) & set(before[1]), "there is nothing to be lost")

    def exchange():
        os.rename(places[0], at("aside"))
        os.rename(places[1], places[0])
        os.rename(at("aside"), places[1])
    exchange()
    for _ in range(2):
        for one in (store, stranger):
            one("list")
            one("add", "event", "title=With the other's attachments")
            check(one.run("verify").code == DAMAGED, "that the attachments are missing is not told")
    check([files(place) for place in reversed(places)] == before, "an attachment of the other store is gone")
    exchange()
    check(store.json("verify")["ok"] and stranger.json("verify")["ok"], "put back, they are not whole")


def test_older_data(store, at):
    """An older 'data' put back alone, and used: no attachment that came later is lost, what was withdrawn
    later is said to be, and the newer 'data' finds all it had."""
    place = os.path.join(store.folder, "data")
    folder = os.path.join(store.folder, "media")
    case = store("add", "case", "title=The case of the bridge")
    gone = store("attach", case, write(at("gone.jpg"), os.urandom(2000)))
    older, then = read(place), set(os.listdir(folder))
    withdrawn = then - set(names_without(store, gone))
    later_bytes = os.urandom(4000)
    later = store("attach", case, write(at("later.jpg"), later_bytes))
    newer, now = read(place), set(os.listdir(folder))
    (came,) = now - withdrawn - then
    write(place, older)
    for _ in range(2):
        check(store.json("list") != [], "with an older 'data' nothing can be read")
        check(came in os.listdir(folder), "an older 'data' was opened, and a later attachment is gone")
    ran = store.run("verify")
    check(ran.code == DAMAGED and f"media/{came}: 'data' does not know this file" in ran.out,
          f"verify: {ran.code}: {ran.out}")
    check("put the newest copy of the whole folder back" in ran.out, ran.out)
    ran = store.run("extract", gone, at("gone"))
    check(ran.code == MISSING and "it was erased after this copy of 'data' was made" in ran.err,
          f"extract: {ran.code}: {ran.err}")
    store("add", "event", "title=On the older one")
    write(place, newer)
    store("extract", later, at("later"))
    check(read(at("later")) == later_bytes, "the later attachment is not what it was")
    check(store.json("verify")["ok"], "with the newer 'data' something is wrong")


def names_without(store, attachment):
    """Withdraws an attachment; the names of the media files that are left."""
    store("withdraw", attachment)
    return os.listdir(os.path.join(store.folder, "media"))


def test(top):
    at = lambda *names: os.path.join(top, *names)
    office = archive(at("archive"))
    store = device(at("store"), office)
    case = store("add", "case", "title=The case of the lake")
    for number in range(20):
        store("add", "event", f"title=Event {number}")
    photo = store("attach", case, write(at("photo.jpg"), os.urandom(3000)))
    stranger = device(at("stranger"), office, alias="oak")
    stranger("add", "event", "title=Elsewhere")
    kept = at("kept")
    shutil.copytree(store.folder, kept)
    before = files(store.folder)
    test_parts(store, kept)
    test_other_store(store, kept, stranger)
    test_page(store, kept)
    test_attachment(store, kept, photo, at)
    check(files(store.folder) == before and store.json("verify")["ok"], "put back, it is whole")
    test_strays(store)
    test_media_of_another(store, stranger, at)
    test_older_data(store, at)
    ran = run("skrynia", "--store", at("nothing"), "list", passphrase="x")
    check(ran.code == MISSING and "'skrynia init'" in ran.err, ran.err)


main(test)
