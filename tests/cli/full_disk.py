"""Goal of this test: on a full disk a command either did what it says or changed nothing, what was saved
can be read, and when there is room again everything goes on.

The disk is full for one program at a time: no file may grow beyond a limit.
"""
import json
import os
import resource

from programs import IO, archive, check, courier, device, files, main, run, write

UNLIMITED = resource.RLIM_INFINITY


def full(limit):
    """Options of a process of which no file grows beyond `limit` bytes. Python ignores the signal that
    would come with the error, and so does the program."""
    return {
        "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, UNLIMITED)),
        "restore_signals": False,
    }


def record(top, number):
    """A file with a record of about 80 KB that does not compress to nothing."""
    text = os.urandom(40_000).hex()
    return write(os.path.join(top, "record"), json.dumps({"title": f"T{number}", "text": text}))


def titles(store, **more):
    return {row["title"] for row in store.json("list", **more)}


def fill(store, top):
    """Adds until the disk is full; returns the titles that were acknowledged and the limit."""
    limit = os.path.getsize(os.path.join(store.folder, "data")) + 1_500_000
    saved, warned = set(), False
    for number in range(100):
        ran = store.run("add", "testimony", "--from", record(top, number), **full(limit))
        if ran.code != 0:
            check(ran.code == IO and "no space left" in ran.err, f"{ran.code}: {ran.err}")
            check("Make room" in ran.err, f"nothing says what to do: {ran.err}")
            check(ran.out == "", "an id was printed for what was not saved")
            return saved, limit, warned
        check(len(ran.out.strip()) == 32, "no id was printed")
        saved.add(f"T{number}")
        warned = warned or "Make room" in ran.err
    raise AssertionError("the disk never filled")


def test_store(store, top):
    saved, limit, warned = fill(store, top)
    check(len(saved) > 3 and warned, f"{len(saved)} saved, warned: {warned}")
    check(titles(store, **full(limit)) == saved, "on a full disk the list is not what was saved")
    shown = store.json("show", store.json("list", **full(limit))[0]["id"], **full(limit))
    check(len(shown["fields"]["text"]) == 80_000, "on a full disk a record cannot be read")
    # Pages can only be checked when the log of the crash is in the database.
    store("verify", expect=IO, **full(limit))
    blob = write(os.path.join(top, "blob"), os.urandom(limit + 100_000))
    first = store.json("list", **full(limit))[0]["id"]
    store("attach", first, blob, expect=IO, **full(limit))
    check(os.listdir(os.path.join(store.folder, "media")) == [], "a piece of a file was left")
    check(titles(store) == saved, "with room again the list is not what was saved")
    check(store.json("verify")["ok"], "with room again it does not verify")
    store("add", "testimony", "--from", record(top, 1000))
    check(titles(store) == saved | {"T1000"}, "nothing can be added any more")


def test_bundle(store, office, top):
    bundle = os.path.join(top, "card", "bundle")
    os.mkdir(os.path.dirname(bundle))
    before = store.json("status")["archives"]
    store("export", bundle, expect=IO, **full(200_000))
    check(os.listdir(os.path.dirname(bundle)) == [], "a piece of a bundle was left")
    check(store.json("status")["archives"] == before, "what was not exported counts as exported")
    store("export", bundle)

    dump = office.dump()
    office("import", bundle, expect=IO, **full(os.path.getsize(bundle) // 3))
    check(office.dump() == dump, "an import that failed changed the archive")
    office("import", bundle)
    check(titles(office) == titles(store), "the archive lacks records")

    stick = os.path.join(top, "stick")
    os.mkdir(stick)
    courier("copy", bundle, stick, expect=IO, **full(200_000))
    check(os.listdir(stick) == [], "a piece of a copy was left")
    courier("copy", bundle, stick)


def test_keys(store, top):
    """New keys on a disk that is full for the pages, and then for one of the attachments."""
    first = store.json("list")[0]["id"]
    size = os.path.getsize(os.path.join(store.folder, "data"))
    blob = write(os.path.join(top, "blob"), os.urandom(2 * size + 2_000_000))
    store("attach", first, write(os.path.join(top, "small"), os.urandom(1000)))
    store("attach", first, blob)
    os.unlink(blob)
    before, dump = files(store.folder), store.dump()
    ran = store.run("rekey", **full(size // 2))
    check(ran.code == IO and "Make room" in ran.err,
          f"rekey: {ran.code} {ran.err}")
    check(store.dump() == dump and set(files(store.folder)) == set(before), "a piece of it was left")
    same = [name for name in before if name != "data"]
    check(all(files(store.folder)[name] == before[name] for name in same), "keys or a medium changed")
    ran = store.run("rekey", **full(2 * size + 1_000_000))
    check(ran.code == IO and "Make room" in ran.err, f"rekey: {ran.code} {ran.err}")
    ran = store.run("list")
    check("'rekey' was interrupted" in ran.err, f"nothing says that it is not complete: {ran.err}")
    check(store.dump() == dump, "new keys changed what it holds")
    ran = store.run("rekey")
    check(ran.code == 0 and "is complete" in ran.err, f"rekey: {ran.code} {ran.err}")
    check("interrupted" not in store.run("list").err and store.dump() == dump, "it is not complete")
    check(not set(same) & set(files(store.folder)) - {"keys"}, "an old media file was left")
    for args in (["slot", "add", "--recovery"], ["passphrase", "--new-passphrase-fd", "0"]):
        keys = files(store.folder)
        store(*args, expect=IO, stdin="a new passphrase of mine\n", **full(500))
        check(files(store.folder) == keys, f"{args} changed something on a full disk")


def test(top):
    office = archive(os.path.join(top, "archive"))
    store = device(os.path.join(top, "store"), office)
    test_store(store, top)
    test_bundle(store, office, top)
    test_keys(store, top)
    room = os.path.join(top, "new")
    made = run("skrynia", "--store", room, "init", "--insecure-test-kdf", passphrase="a b c",
               **full(20_000))
    check(made.code == IO and not os.path.exists(room), f"init: {made.code} {made.err}")


if __name__ == "__main__":
    main(test)
