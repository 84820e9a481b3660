#!/usr/bin/env python3
"""Goal of this test: a damaged bundle is salvaged on demand alone, says what was kept and what is lacking, and
ends as if the damage had never been once an intact copy comes, or what the device sends again.

A bundle is cut at many places and damaged in its chunks, with and without --salvage; every time the intact copy
makes the archive what it is without damage. Lacking text is told apart from withdrawn text by every command.
SIGKILL and a full disk during a salvage leave it done or not done.
"""
import os
import random
import shutil
import subprocess
import time

from full_disk import full
from programs import BUSY, IO, REFUSED, SANITIZED, Store, archive, check, device, files, main, read, start, write

CHUNK = 65536


def copy_of(store, folder):
    """The same archive in another folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(store.folder, folder)
    return Store(store.program, folder, store.passphrase)


def damaged(bundle, path, cut=None, flip=()):
    """A copy of a bundle, cut off or with a bit changed in some chunks (0: the header)."""
    whole = bytearray(read(bundle))
    for chunk in flip:
        whole[chunk * CHUNK + 777] ^= 16
    return write(path, bytes(whole[:cut]))


def fill(by, top):
    """Records, attachments, a link, revisions, withdrawals; nine chunks and more."""
    ids = {"first": by("add", "person", "title=First"), "case": by("add", "case", "title=Case")}
    for name, size in (("small", 20_000), ("large", 700_000)):
        path = write(os.path.join(top, name), os.urandom(size))
        ids[name] = by("attach", ids["first"], path)
    ids["gone"] = by("add", "event", "title=Gone")
    by("withdraw", ids["gone"])
    by("edit", ids["first"], "title=First, edited")
    by("link", ids["first"], "victim-of", ids["case"])
    ids["last"] = by("add", "person", "title=Last")
    return ids


def every_place(office, bundle, top):
    """Wherever it is damaged."""
    reference = copy_of(office, os.path.join(top, "reference"))
    reference("import", bundle)
    expected = reference.dump()
    size = os.path.getsize(bundle)
    copies = [{"cut": cut} for cut in range(CHUNK + 100, size, CHUNK + 30_011)]
    copies += [{"flip": [chunk]} for chunk in range(1, size // CHUNK, 2)]
    if SANITIZED:  # which are slow: the first, the last, and some between
        copies = copies[:-1:3] + copies[-1:]
    kept = []
    for copy in copies:
        bad = damaged(bundle, os.path.join(top, "bad"), **copy)
        one = copy_of(office, os.path.join(top, "one"))
        before = one.dump()
        ran = one.run("import", bad)
        check(ran.code == REFUSED and "import --salvage" in ran.err, f"{copy}: {ran.code} {ran.err}")
        check(one.dump() == before, f"{copy}: it changed something without --salvage")
        told = one.json("import", "--salvage", bad, expect=REFUSED)[0]
        check(told["error"] == "damaged", f"{copy}: {told}")
        kept.append(told.get("payloads", 0))
        if not told.get("salvaged"):
            check(one.dump() == before, f"{copy}: nothing was salvaged, and something changed")
        check(one.json("verify").get("lacking", 0) == sum(b - a for a, b in told.get("lacking", [])),
              f"{copy}: verify counts otherwise")
        taken = one.json("import", bundle)[0]
        check(taken["error"] is None and "salvaged" not in taken, f"{copy}: then the intact one: {taken}")
        check(one.dump() == expected, f"{copy}: it is not what it is without damage")
        check(sorted(files(one.folder + "/media").values()) != [] and
              len(files(one.folder + "/media")) == len(files(reference.folder + "/media")), f"{copy}: media")
        check("imported before" in one("import", bundle), f"{copy}: the index is not spent")
        one("import", "--salvage", bad, expect=REFUSED)
        check(one.dump() == expected, f"{copy}: a damaged copy of a known bundle changed something")
    check(kept[0] == 0 and max(kept) >= 4, f"kept {kept}")


def what_is_told(office, by, bundle, ids, top):
    """Lacking is not withdrawn; and what is lacking comes by a receipt."""
    one = copy_of(office, os.path.join(top, "told"))
    bad = damaged(bundle, os.path.join(top, "bad"), cut=3 * CHUNK)
    ran = one.run("import", "--salvage", bad)
    check(ran.code == REFUSED and "salvaged: 9 new" in ran.out, f"{ran.code} {ran.out} {ran.err}")
    check("is lacking" in ran.err and "'receipt'" in ran.err, ran.err)
    check("was lost in a damaged bundle" in one.run("list").err, "list says nothing")
    row = next(row for row in one.json("list") if row["id"] == ids["first"])
    check(row["title"] == "First" and row["outdated"], f"an old revision is listed: {row}")
    check([r["id"] for r in one.json("search", "edited")] == [], "what is lacking was found")
    check("damaged bundle" in one.run("search", "edited").err, "search says nothing")
    shown = one.json("show", ids["first"])
    check(shown["fields"]["title"] == "First" and shown["outdated"], f"show {shown}")
    check("An older revision" in one("show", ids["first"]), "show says nothing")
    shown = one.json("show", ids["last"])
    check(shown["fields"] is None and shown["lacking"], f"show of what is lacking: {shown}")
    check("(lacking: lost" in one("show", ids["last"]), "show does not say lacking")
    check("withdrawn" in one("show", ids["gone"]) and "lacking" not in one("show", ids["gone"]),
          "what was withdrawn counts as lacking")
    history = one.json("history", ids["first"])
    check([row.get("lacking") for row in history] == [None, True], f"history {history}")
    ran = one.run("extract", ids["large"], os.path.join(top, "out"))
    check(ran.code == REFUSED and "lost in a damaged bundle" in ran.err, f"extract {ran.code} {ran.err}")
    one("extract", ids["small"], os.path.join(top, "out"))
    check(read(os.path.join(top, "out")) == read(os.path.join(top, "small")), "an attachment that was kept")
    lacking = one.json("verify")["lacking"]
    check(one.json("devices")[0]["lacking"] == lacking > 0, "devices counts otherwise")
    check("lost in a damaged bundle" in one("devices") and "lost in a damaged bundle" in one("verify"), "words")

    one("receipt", "birch", os.path.join(top, "reply"))
    said = by("receive", os.path.join(top, "reply"))
    check(f"{lacking} are asked for again" in said, said)
    by("export", os.path.join(top, "again"))
    taken = one.json("import", os.path.join(top, "again"))[0]
    check(taken["error"] is None and taken["new"] == 0, f"sent again: {taken}")
    check("lacking" not in one.json("verify") and "lacking" not in one.json("devices")[0], "still lacking")
    reference = Store(one.program, os.path.join(top, "reference"))
    check(one.json("list") == reference.json("list"), "the list is not what it should be")
    one("receipt", "birch", os.path.join(top, "reply2"))
    check("are asked for" not in by("receive", os.path.join(top, "reply2")), "more is asked for")


def interrupted(office, by, ids, top):
    """SIGKILL at any time, and a disk that is full."""
    path = write(os.path.join(top, "video"), os.urandom(6_000_000))
    for number in range(3):
        by("attach", ids["case"], path)
        by("add", "event", f"title=After {number}")
    bundle = os.path.join(top, "long")
    by("export", bundle, "--all")
    bad = damaged(bundle, os.path.join(top, "bad"), flip=[150])
    reference = copy_of(office, os.path.join(top, "reference"))
    reference.json("import", "--salvage", bad, expect=REFUSED)
    expected = reference.dump()
    one = copy_of(office, os.path.join(top, "one"))
    empty, began = one.dump(), time.monotonic()
    one.json("import", "--salvage", bad, expect=REFUSED)
    lasts = time.monotonic() - began
    outcomes = set()
    for _ in range(4 if SANITIZED else 12):
        one = copy_of(office, os.path.join(top, "one"))
        with one.run("import", "--salvage", bad, how=start, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL) as process:
            time.sleep(random.uniform(0, lasts))
            process.kill()
            process.wait()
        for _ in range(100):  # its worker ends with it, but not in the same moment
            ran = one.run("verify", "--json")
            if ran.code != BUSY:
                break
            time.sleep(0.1)
        check(ran.code == 0, f"after SIGKILL: {ran.out} {ran.err}")
        now = one.dump()
        check(now in (empty, expected), "a salvage was done in part")
        outcomes.add(now == expected)
        one.json("import", "--salvage", bad, expect=REFUSED)
        check(one.dump() == expected, "after SIGKILL it does not come to the same")
        check(len(files(one.folder + "/media")) == len(files(reference.folder + "/media")), "a file was left")
    check(False in outcomes, "no salvage was killed before its end")
    one = copy_of(office, os.path.join(top, "one"))
    ran = one.run("import", "--salvage", bad, **full(3_000_000))
    check(ran.code == IO and "Make room" in ran.err, f"on a full disk: {ran.code} {ran.err}")
    check(one.dump() == empty and files(one.folder + "/media") == {}, "a full disk left something")
    one.json("import", "--salvage", bad, expect=REFUSED)
    check(one.dump() == expected, "with room again it does not come to the same")


def test(top):
    office = archive(os.path.join(top, "archive"), "Office")
    by = device(os.path.join(top, "store"), office)
    ids = fill(by, top)
    bundle = os.path.join(top, "bundle")
    by("export", bundle)
    every_place(office, bundle, top)
    what_is_told(office, by, bundle, ids, top)
    interrupted(office, by, ids, top)


if __name__ == "__main__":
    main(test)
