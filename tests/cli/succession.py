"""Goal of this test: a store that was lost is restored from its backup, one that is damaged is repaired,
and the archive shows each record once, with what was withdrawn erased in the old log as well.
"""
import os
import json
import random
import resource
import select
import shutil
import signal
import subprocess
from fcntl import F_SETPIPE_SZ, fcntl

from programs import (BUSY, CONFIG, CREATE, DAMAGED, IO, MISSING, SANITIZED, USAGE, WRONG_KEY, Store, archive,
                      check, device, expected, files, main, read, sha256, start, write)

ROUNDS = 300 if os.environ.get("SK_LONG") else 6 if SANITIZED else 24
SEED = 5


def fill(by, top, count=40, words=20):
    """Records, links, an attachment, an edit and a withdrawal; ids by what they are."""
    ids = {"many": by("add", "testimony", "--from", write(os.path.join(top, "many"), "\n".join(
        '{"title": "Testimony %d", "text": "%s"}' % (i, "слова пра падзею " * (i % 20 * words)) for i in range(count))))
        .split()}
    ids["person"] = by("add", "person", "title=Birch", "name=Ганна Прыкладная")
    ids["case"] = by("add", "case", "title=The case of the lake")
    ids["gone"] = by("add", "person", "title=Withdrawn", "name=Янка Выдуманы")
    ids["link"] = by("link", ids["person"], "accused-in", ids["case"])
    ids["photo"] = by("attach", ids["person"], write(os.path.join(top, "photo.jpg"), random.randbytes(300_000)))
    ids["empty"] = by("attach", ids["person"], write(os.path.join(top, "empty.txt"), b""))
    by("edit", ids["person"], "title=Birch, edited")
    by("withdraw", ids["gone"])
    return ids


def repaired(store, folder, *args, code=None):
    """What `repair` says as JSON. It ends with 0 only where everything came, and is proven."""
    ran = store.run("repair", folder, "--json", *args)
    check(ran.code in (0, DAMAGED), f"repair: {ran.code} {ran.err}")
    report = json.loads(ran.out)
    whole = not report["lost"] and not report["unproven"] and report["head"] and not report["log_doubtful"]
    check(ran.code == (0 if whole else DAMAGED) and code in (None, ran.code), f"{ran.code}: {report}")
    check(whole or "the new store was made" in ran.err, ran.err)
    check(len(report["unproven_entries"]) == report["unproven"], f"not all are named: {report}")
    return report


def good(report):
    """What `verify` is to say of the store that was made."""
    return {"ok": True, "problems": [], **({"unproven": report["unproven"]} if report["unproven"] else {})}


def restore(backup, folder, *more, expect=0, passphrase=None, **rest):
    """Makes a store from a backup."""
    made = Store("skrynia", folder)
    made("restore", backup, "--insecure-test-kdf", *more, expect=expect, passphrase=passphrase, **rest)
    return made


def same_content(old, new, but=()):
    """Everything that one store shows the other shows too, but for positions."""
    a, b = old.dump(), new.dump()
    strip = lambda rows: {row["id"]: {k: v for k, v in row.items() if k not in ("position", "device")}
                          for row in rows if row["id"] not in but}
    check(strip(a["list"]) == strip(b["list"]), "the lists differ")
    check(strip(a["show"]) == strip(b["show"]), "the records differ")
    check(b["verify"] == {"ok": True, "problems": []}, f"the new store: {b['verify']}")
    texts = lambda dump: [[{k: v for k, v in row.items() if k not in ("position", "device")} for row in rows]
                          for rows in sorted(dump["history"], key=str)]
    check(but or texts(a).sort(key=str) == texts(b).sort(key=str), "the histories differ")


def exchange(top):
    """Device to archive, the store lost, restored with a new invite, and on to the archive."""
    to = archive(os.path.join(top, "archive"))
    by = device(os.path.join(top, "store"), to)
    ids = fill(by, top)
    by("export", os.path.join(top, "first"))
    to("import", os.path.join(top, "first"))
    before = {row["id"] for row in to.json("list")}
    backup = os.path.join(top, "backup")
    status = by.json("status")
    out = by("backup", backup)
    check("written and read back" in out, out)
    by.json("verify")

    letter = os.path.join(top, "letter")
    words = to("invite", "birch again", letter)
    new = restore(backup, os.path.join(top, "new"), "--invite", letter, code=words)
    same_content(by, new)
    # What came after the backup, and reached the archive.
    tuesday = by("attach", ids["person"], write(os.path.join(top, "tuesday.jpg"), random.randbytes(70_000)))
    by("link", ids["person"], "witness", ids["many"][1])
    by("export", os.path.join(top, "tuesday"))
    to("import", os.path.join(top, "tuesday"))
    shutil.rmtree(by.folder)
    check(new.json("status")["log"] != status["log"], "the log is a new one")
    check(new.json("status")["size"] == status["size"] + 1, "every entry and one more")
    new("withdraw", ids["case"])
    later = new("add", "event", "title=After the loss")
    new("edit", ids["many"][0], "title=Edited after the loss")
    new("export", os.path.join(top, "second"))
    to("import", os.path.join(top, "second"))

    listed = to.json("list")
    check(len({row["id"] for row in listed}) == len(listed), "a record is listed twice")
    check({row["id"] for row in listed} == before - {ids["case"]} | {later}, "the list of the archive")
    check({row["device"] for row in listed} == {"birch again"}, "the new log's records are shown")
    found = to.json("search", "edited")
    check(sorted(row["title"] for row in found) == ["Birch, edited", "Edited after the loss"], f"search: {found}")
    devices = {row["alias"]: row for row in to.json("devices")}
    check(devices["birch again"]["continues"] ==
          {"log": status["log"], "alias": "birch", "size": status["size"]}, f"devices: {devices}")
    check(devices["birch"]["continues"] is None, "the old log continues none")
    check("continues birch, log " + status["log"][:16] in to("devices"), "devices in words")
    history = to.json("history", ids["person"])
    check([(row["device"], row["rev"]) for row in history] ==
          [("birch", 1), ("birch", 2), ("birch again", 1), ("birch again", 2)], f"history: {history}")
    gone = to.json("history", ids["case"])
    check(all(row["fields"] is None for row in gone) and len(gone) == 3, f"withdrawn: {gone}")
    to("extract", ids["photo"], os.path.join(top, "out.jpg"))
    check(sha256(os.path.join(top, "out.jpg")) == sha256(os.path.join(top, "photo.jpg")), "the attachment")
    check(to.json("verify") == {"ok": True, "problems": []}, "the archive verifies")
    person = to.json("show", ids["person"])
    check(person["links"] == [{"role": "witness", "id": ids["many"][1], "apart": True}],
          "the link to what was withdrawn is gone, the one that the backup lacks is there")
    check([(row["id"], row.get("apart")) for row in person["attachments"]] ==
          [(ids["photo"], None), (ids["empty"], None), (tuesday, True)],
          f"each attachment once: {person['attachments']}")
    text = to("show", ids["person"])
    check(text.count("tuesday.jpg") == text.count("photo.jpg") == 1 and "Testimony 1" in text, text)
    check([row["id"] for row in to.json("search", "tuesday")] == [ids["person"]], "search by its name")
    to("extract", tuesday, os.path.join(top, "out 2.jpg"))
    check(sha256(os.path.join(top, "out 2.jpg")) == sha256(os.path.join(top, "tuesday.jpg")), "its bytes")
    reply = os.path.join(top, "reply")
    to("receipt", "birch again", reply)
    new("receive", reply)
    check(new.json("status")["archives"][0]["unexported"] == [], "all has arrived")


def withdrawn_meanwhile(top):
    """A backup from before a withdrawal is restored: at the archive the text stays away, a change that is made
    in the restored store is shown, and the history tells. What the old store writes afterwards is told apart."""
    at = lambda name: os.path.join(top, name)
    to = archive(at("archive"))
    by = device(at("store"), to)
    secret, other = by("add", "person", "title=Secret", "name=Names the witness"), by("add", "person", "title=Other")
    by("attach", secret, write(at("face.jpg"), random.randbytes(70_000)))
    by("export", at("first"))
    by("backup", at("backup"))
    by("withdraw", secret)
    by("export", at("gone"))
    words = to("invite", "birch again", at("letter"))
    new = restore(at("backup"), at("new"), "--invite", at("letter"), code=words)
    check("Secret" in {row["title"] for row in new.json("list")}, "the backup holds it")
    new("export", at("second"))
    for bundle in ("first", "second", "gone"):
        to("import", at(bundle))
    check([row["title"] for row in to.json("list")] == ["Other"], f"it is back: {to.json('list')}")
    check(to("search", "witness") == "" and not os.listdir(os.path.join(to.folder, "media")), "words or files of it")
    check("(withdrawn" in to("show", secret), "show of what is withdrawn")
    told = to.json("history", secret)
    check(all(row["fields"] is None for row in told) and told[-1]["withdrawn_in"] == "birch", f"history: {told}")
    check("withdrawn in the log of birch, which this one continues" in to("history", secret), "history in words")
    new("edit", secret, "title=Known under another name", "name=A. B.")
    new("export", at("third"))
    to("import", at("third"))
    check(to.json("show", secret)["fields"]["title"] == "Known under another name", "the change is shown")
    check("later entry of it that stands apart" in to("show", secret), "that it was withdrawn in the old log")
    told = to.json("history", secret)
    check([row["rev"] for row in told if row["fields"]] == [2] and [row.get("withdrawn") for row in told].count(True) == 1,
          f"history: {told}")
    check(to.json("verify") == {"ok": True, "problems": []}, "the archive verifies")

    # The old store is in other hands, and goes on.
    by("edit", other, "title=Other, by somebody else")
    by("add", "person", "title=Made up")
    by("attach", other, write(at("planted.txt"), b"planted"))
    by("link", other, "same-as", by.json("list")[0]["id"])
    by("export", at("late"))
    to("import", at("late"))
    check(to.json("show", other)["fields"]["title"] == "Other", "what the restored store holds is shown")
    check(to.json("show", f"{other}@birch")["fields"]["title"] == "Other, by somebody else", "what one device has under an id")
    ran = to.run("show", f"{other}@nobody")
    check(ran.code == MISSING and ran.out == "", f"no such device: {ran.code} {ran.err}")
    rows = {row["title"]: row.get("apart", False) for row in to.json("list")}
    check(rows == {"Other": False, "Known under another name": False, "Other, by somebody else": True, "Made up": True},
          f"list: {rows}")
    check([row.get("apart") for row in to.json("search", "somebody")] == [True], "search")
    ran = to.run("list")
    check("2 rows stand apart" in ran.err and ran.out.count(" !person") == 2, ran.out + ran.err)
    shown = to.json("show", other)
    check(shown["apart_in"] == ["birch"] and [row["apart"] for row in shown["attachments"] + shown["links"]] ==
          [True, True], f"show: {shown}")
    text = to("show", other)
    check(text.count("(apart, in the log of birch)") == 2 and "The log of birch has a later entry" in text, text)
    made_up = next(row["id"] for row in to.json("list") if row["title"] == "Made up")
    check(to.json("show", made_up)["apart"] and "Apart: made after the log of birch again" in to("show", made_up),
          "a record that stands apart")
    told = to.json("history", other)
    check([(row["device"], row["rev"], row.get("apart", False)) for row in told] ==
          [("birch", 1, False), ("birch", 2, True), ("birch again", 1, False)], f"history: {told}")
    check("apart: made after the log of birch again continued this one" in to("history", other), "history in words")
    devices = {row["alias"]: row for row in to.json("devices")}
    check(devices["birch"]["apart"] == 6 and devices["birch again"]["apart"] == 0, f"devices: {devices}")
    check("6 entries stand apart: made after birch again continued this log" in to("devices"), to("devices"))
    check(to.json("verify") == {"ok": True, "problems": []}, "the archive verifies")


def backups(top):
    """A backup is whole or refused, opens with the passphrase of its day, and writes over nothing."""
    by = device(os.path.join(top, "store"))
    fill(by, top, 5)
    backup = os.path.join(top, "backup")
    by("backup", backup)
    whole = read(backup)
    check(len(whole) % 65536 == 0, "the size is rounded")
    check(b"SQLite" not in whole and b"skrynia" not in whole, "the file shows what it is")
    by("backup", backup, expect=CREATE)
    check(read(backup) == whole, "a file was written over")
    by("backup", os.path.join(top, "nowhere", "backup"), expect=CREATE)

    full = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
            "restore_signals": False}
    by("backup", os.path.join(top, "large"), expect=IO, **full)
    restore(backup, os.path.join(top, "new"), expect=IO, **full)
    by("repair", os.path.join(top, "new"), expect=IO, **full)
    check(sorted(os.listdir(top)) == ["backup", "empty.txt", "many", "photo.jpg", "store"],
          f"a full disk left {os.listdir(top)}")

    bad, to = os.path.join(top, "bad"), os.path.join(top, "new")
    places = [*range(65536, len(whole), 65536 * 3), len(whole) - 1, 65536 + 100]
    for place in places:
        write(bad, whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        restore(bad, to, expect=DAMAGED)
    for what in (b"", whole[:-1], whole[:-65536], whole + b"\0", whole + bytes(65536), whole[:65536],
                 whole[:65536] + whole[131072:196608] + whole[65536:131072] + whole[196608:], bytes(len(whole))[:9]):
        write(bad, what)
        restore(bad, to, expect=DAMAGED)
    for place in (0, 20, 5000, 65535):
        write(bad, whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        restore(bad, to, expect=WRONG_KEY)
    restore(backup, to, expect=WRONG_KEY, passphrase="another passphrase")
    restore(os.path.join(top, "none"), to, expect=MISSING)
    check(sorted(os.listdir(top)) == ["backup", "bad", "empty.txt", "many", "photo.jpg", "store"],
          f"left behind: {os.listdir(top)}")
    restore(backup, by.folder, expect=CREATE)

    # The passphrase of the day of the backup, not of today.
    by("passphrase", "--new-passphrase-fd", "0", stdin="a passphrase of later days\n")
    made = restore(backup, to)
    made("list")
    check(made.json("status")["archives"] == [], "no archive knows the new store")
    by("backup", os.path.join(top, "later"), passphrase="a passphrase of later days")
    restore(os.path.join(top, "later"), os.path.join(top, "new2"), expect=WRONG_KEY)
    restore(os.path.join(top, "later"), os.path.join(top, "new2"), passphrase="a passphrase of later days")

    # With recovery words, typed in another way than they were shown.
    words = made("slot", "add", "--recovery")
    typed = words.upper().replace(" ", "-")
    ran = made.run("backup", os.path.join(top, "by words"), passphrase=typed)
    check(ran.code == 0 and "what opened the store now, the recovery words" in ran.err, ran.err)
    restore(os.path.join(top, "by words"), os.path.join(top, "worded"), expect=WRONG_KEY)
    worded = restore(os.path.join(top, "by words"), os.path.join(top, "worded"), passphrase=typed)
    check(worded.json("list", passphrase=words) == made.json("list"), "restored by words")
    worded("list", expect=WRONG_KEY)
    made("repair", os.path.join(top, "worded2"), passphrase=typed)
    check(Store("skrynia", os.path.join(top, "worded2")).json("list", passphrase=words) == made.json("list"),
          "repaired by words")

    # A second time in a row: the log before the last is named as well.
    made("backup", os.path.join(top, "again"))
    third = restore(os.path.join(top, "again"), os.path.join(top, "third"))
    same_content(made, third)
    check(third.json("status")["size"] == by.json("status", passphrase="a passphrase of later days")["size"] + 2,
          "two continuations")


def page_count(store):
    """Pages of the closed database."""
    return (os.path.getsize(os.path.join(store.folder, "data")) - 8192) // 4096


def spoil(path, place, length=100):
    """Overwrites a part of a file with noise."""
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(random.randbytes(length))


def repairs(top):
    """Every page of a small store damaged in turn (of slow programs every fourth): all else comes back, and what
    is lost is named."""
    by = device(os.path.join(top, "store"))
    ids = fill(by, top, 60, 4)
    listed = {row["id"]: row for row in by.json("list")}
    bad = Store("skrynia", os.path.join(top, "bad"))
    new = Store("skrynia", os.path.join(top, "new"))
    lost_most = most_marked = 0
    for page in range(0, page_count(by) + 1, 4 if SANITIZED else 1):
        shutil.copytree(by.folder, bad.folder)
        data = os.path.join(bad.folder, "data")
        spoil(data, 8192 + (page - 1) * 4096 if page else 0, 4096 if page else 8192)
        before = files(bad.folder)
        report = repaired(bad, new.folder)
        check(files(bad.folder) == before, f"page {page}: the damaged store was changed")
        check(new.json("verify") == good(report), f"page {page}: {new.json('verify')}")
        said = new("verify")
        check(("but" in said and "nothing proved" in said) == bool(report["unproven"]), said)
        shown = new.json("list")
        marked = {row["id"] for row in shown if row.pop("unproven", False)}
        after = {row["id"]: row for row in shown}
        unproven = {row["id"] for row in report["unproven_entries"]}
        check(marked <= unproven and marked >= {row["id"] for row in report["unproven_entries"]
                                                if row["id"] in after and row["rev"] == after[row["id"]]["rev"]},
              f"page {page}: not those that are unproven are marked: {marked ^ unproven}")
        rows = new.run("list")
        check({row[:32] for row in rows.out.splitlines() if row[33] == "?"} == marked and
              ("without a proof (?)" in rows.err) == bool(marked), f"page {page}: {rows.out}{rows.err}")
        for id in sorted(marked)[:1]:
            check(new.json("show", id)["unproven"] and "saved without a proof" in new("show", id) and
                  "saved without a proof" in new("history", id), "show and history do not tell")
            most_marked = max(most_marked, len(marked))
        check(set(after) <= set(listed), f"page {page}: something was made up")
        check(ids["gone"] not in after, f"page {page}: something withdrawn came back")
        lost = set(listed) - set(after)
        named = {row["id"] for row in report["lost"]} | \
            ({"positions"} if any(row["kind"] == "entries" for row in report["lost"]) else set())
        check(not lost or "positions" in named or lost <= named or not report["head"],
              f"page {page}: {lost} are lost and not named: {report}")
        for id in set(after) - named:
            check(after[id] == listed[id] or "positions" in named, f"page {page}: {after[id]}")
        lost_most = max(lost_most, len(lost))
        shutil.rmtree(bad.folder)
        shutil.rmtree(new.folder)
    check(lost_most < len(listed), "one page took everything")
    check(most_marked > 0, "no page took the proof of others")

    # Attachments that are damaged or gone, the log, and `keys`.
    shutil.copytree(by.folder, bad.folder)
    media = os.path.join(bad.folder, "media")
    large = max((os.path.join(media, name) for name in os.listdir(media)), key=os.path.getsize)
    spoil(large, 70_000)
    report = repaired(bad, new.folder, code=DAMAGED)
    check([(row["kind"], row["id"], row["title"], row["bytes"]) for row in report["lost"]] ==
          [("attachment", ids["photo"], "photo.jpg", 300_000)], f"the attachment: {report['lost']}")
    check(new.json("verify")["ok"], "verify after a lost attachment")
    shutil.rmtree(new.folder)
    spoil(os.path.join(bad.folder, "keys"), 40 + 128 * 3, 700)
    out = bad("repair", new.folder, expect=DAMAGED)
    check("photo.jpg" in out and "are lost" in out, out)
    shutil.rmtree(new.folder)
    spoil(os.path.join(bad.folder, "keys"), 40 + 20, 40)
    bad("repair", new.folder, expect=DAMAGED)
    os.unlink(os.path.join(bad.folder, "keys"))
    bad("repair", new.folder, expect=MISSING)
    check(not os.path.exists(new.folder), "a store was made of nothing")
    shutil.rmtree(bad.folder)
    by("repair", os.path.join(by.folder, "inside"), expect=USAGE)
    by("repair", by.folder, expect=CREATE)
    by("repair", new.folder, passphrase="another", expect=WRONG_KEY)

    check_refusals(by, new, top)

    # A whole one loses nothing; one of noise gives nothing.
    report = repaired(by, new.folder, code=0)
    check(report["lost"] == [] and report["unproven"] == 0 and report["continues"] == by.json("status")["log"],
          f"of a whole store: {report}")
    same_content(by, new)
    shutil.copytree(by.folder, bad.folder)
    size = os.path.getsize(os.path.join(bad.folder, "data"))
    write(os.path.join(bad.folder, "data"), random.randbytes(size))
    bad("repair", os.path.join(top, "nothing"), expect=DAMAGED)
    check(not os.path.exists(os.path.join(top, "nothing")), "a store was made of noise")


def marks(top):
    """What was saved without a proof is marked at the archive too, where the signed record is still listed once;
    a later revision of it is none of it, and follows it without a break."""
    at = lambda name: os.path.join(top, name)
    to = archive(at("archive"))
    by = device(at("store"), to)
    ids = fill(by, top, 60, 4)
    by("export", at("first"))
    to("import", at("first"))
    before = {row["id"] for row in to.json("list")}
    nothing_there = to.json("quarantine")
    bad, new = Store("skrynia", at("bad")), Store("skrynia", at("new"))
    for page in range(page_count(by), 0, -1):
        shutil.copytree(by.folder, bad.folder)
        spoil(os.path.join(bad.folder, "data"), 8192 + (page - 1) * 4096, 4096)
        report = repaired(bad, new.folder)
        left = {row["id"] for row in new.json("list") if row.get("unproven")}
        if left and report["continues"]:
            break
        shutil.rmtree(bad.folder)
        shutil.rmtree(new.folder)
    check(left and report["continues"], "no page took the proof of others")
    edited = sorted(left)[0]
    new("edit", edited, "title=Looked at again")
    check("unproven" not in new.json("show", edited), "a new revision is marked")
    check([row.get("unproven") for row in new.json("history", edited)][-2:] == [True, None], "its history")
    letter = at("letter")
    words = to("invite", "birch again", letter)
    new("receive", letter, code=words)
    new("export", at("second"))
    to("import", at("second"))
    listed = to.json("list")
    check({row["id"] for row in listed} == before and len(listed) == len(before),
          f"a record is listed twice, or lost: {len(listed)} of {len(before)}")
    check({row["id"] for row in listed if row.get("unproven")} == left - {edited}, "the marks of the archive")
    check(to.json("quarantine") == nothing_there, "an entry is malformed")
    found = to.json("verify")
    check(found == {"ok": True, "problems": [], "unproven": report["unproven"]}, f"verify: {found}")
    check("nothing proved" in to("verify") and "saved without a proof" in to("show", sorted(left)[1]), "in words")
    check(ids["gone"] not in before, "what was withdrawn")


def damaged_backups(top):
    """A damaged store gives no backup that looks like a good one: whatever page or attachment is damaged, it
    ends with 65, the name asked for is not there, an older backup is as it was, and what is left is kept."""
    at = lambda name: os.path.join(top, name)
    by = device(at("store"))
    ids = fill(by, top, 12, 4)
    report = by.json("backup", at("older"))
    check(report["ok"] and report["problems"] == [], f"of a whole store: {report}")
    write(os.path.join(by.folder, "a stranger's"), b"what is no part of the store is not damage")
    by("backup", at("beside a stranger's"))
    os.unlink(os.path.join(by.folder, "a stranger's"))
    older = read(at("older"))
    media = os.path.join(by.folder, "media")
    large = os.path.basename(max((os.path.join(media, name) for name in os.listdir(media)), key=os.path.getsize))
    bad = Store("skrynia", at("bad"))
    written = 0

    def attempt(what):
        nonlocal written
        ran = expected(bad.run("backup", at("copy")), DAMAGED, [what])
        check(not os.path.exists(at("copy")), f"{what}: it looks like a good backup")
        check("repair" in ran.err, f"{what}: it does not say what to do: {ran.err}")
        there = os.path.exists(at("copy.damaged"))
        check(there == ("copy.damaged" in ran.err), f"{what}: {ran.err}")
        check(not there or ran.out and "older backup" in ran.err, f"{what}: {ran.out} {ran.err}")
        bad("backup", at("older"), expect=CREATE if there else DAMAGED)
        check(read(at("older")) == older, f"{what}: an older backup was changed")
        written += there
        return there

    for page in range(1, page_count(by) + 1):
        shutil.copytree(by.folder, bad.folder)
        spoil(os.path.join(bad.folder, "data"), 8192 + (page - 1) * 4096, 4096)
        if attempt(f"page {page}"):
            os.unlink(at("copy.damaged"))
        shutil.rmtree(bad.folder)
    check(written > 0, "no page left anything to keep")

    shutil.copytree(by.folder, bad.folder)
    spoil(os.path.join(bad.folder, "media", large), 70_000)
    check(attempt("an attachment"), "an attachment that is damaged keeps the rest from being kept")
    kept = read(at("copy.damaged"))
    bad("backup", at("copy"), expect=DAMAGED)
    check(read(at("copy.damaged")) == kept and not os.path.exists(at("copy")), "a second attempt changed something")
    made = Store("skrynia", at("made"))
    report = made.json("restore", at("copy.damaged"), "--insecure-test-kdf", expect=DAMAGED)
    check([row["id"] for row in report["lost"]] == [ids["photo"]], f"restored: {report}")
    os.unlink(at("copy.damaged"))
    os.unlink(os.path.join(bad.folder, "media", large))
    check(attempt("no attachment"), "an attachment that is missing keeps the rest from being kept")
    report = json.loads(expected(bad.run("--json", "backup", at("third")), DAMAGED, ["json"]).out)
    check(not report["ok"] and report["file"] == at("third.damaged") and report["problems"], f"as JSON: {report}")


def check_refusals(by, new, top):
    """Another program holds the store; it is an archive's; nothing is changed by being told so."""
    before = files(by.folder)
    source, ours = os.pipe()
    with by.run("search", how=start, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as holder:
        os.close(source)
        check(b"unlocks fast" in holder.stderr.readline(), "it says when it is open")
        by("repair", new.folder, expect=BUSY)
        by("backup", new.folder, expect=BUSY)
        os.close(ours)
        holder.stderr.read()
    check(files(by.folder) == before and not os.path.exists(new.folder), "a refusal changed something")
    to = archive(os.path.join(top, "archive"))
    Store("skrynia", to.folder)("repair", new.folder, expect=CONFIG)


def killed(store, *args, after, **more):
    """Starts a command and kills it after a number of system calls that change files; its exit code."""
    with store.run(*args, how=start, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more) as process:
        try:
            return process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    return None


def kills(top):
    """SIGKILL at any moment: there is no store or backup, or the whole one, and the next attempt works and
    removes what the one before left."""
    at = lambda name: os.path.join(top, name)
    by = device(at("store"))
    fill(by, top, 200)
    expected_list = by.json("list")
    by("backup", at("backup"))
    shutil.copytree(by.folder, at("damaged"))
    with open(os.path.join(at("damaged"), "data"), "r+b") as file:
        file.seek(8192 + 4096 * 20)
        file.write(random.randbytes(4096))
    damaged = Store("skrynia", at("damaged"))
    noise = files(at("damaged"))
    seen = set()
    for number in range(ROUNDS):
        after = random.uniform(0.005, 0.4) * (1 + number // 6)
        new = Store("skrynia", at("new"))
        what = number % 3
        if what == 0:
            ended = killed(new, "restore", at("backup"), "--insecure-test-kdf", after=after)
        elif what == 1:
            ended = killed(damaged, "repair", new.folder, after=after)
        else:
            ended = killed(by, "backup", at("copy"), after=after)
        check(ended in (0, None) or ended == DAMAGED and what == 1, f"{what}: ended with {ended}")
        there = os.path.exists(at("copy") if what == 2 else new.folder)
        check(there or ended is None, f"{what}: done, and nothing is there")
        seen.add((what, there))
        if what < 2 and there:
            check(new.json("verify")["ok"], "half a store is there")
            check(what == 1 or [row["id"] for row in new.json("list")] ==
                  [row["id"] for row in expected_list], "not the whole store is there")
            shutil.rmtree(new.folder)
        elif there:
            check(len(read(at("copy"))) == len(read(at("backup"))), "half a backup is there")
            os.unlink(at("copy"))
    check(files(at("damaged")) == noise, "the damaged store was changed")
    check(by.json("verify")["ok"] and by.json("list") == expected_list, "the store after its backups")
    made = restore(at("backup"), at("new"))
    check(len(made.json("list")) == len(expected_list), "the last restore")
    left = [name for name in os.listdir(top) if name.startswith("new.")]
    check(left == [], f"left behind: {left}")
    print(f"{ROUNDS} kills of restore, repair and backup: whole or nothing ({len(seen)} of 6 outcomes seen)")


def after_crash(top):
    """A store whose program was killed: its write-ahead log counts where it is whole, and where it is
    damaged or missing the rest is saved, and it is said."""
    at = lambda name: os.path.join(top, name)
    by = device(at("store"))
    ids = fill(by, top, 30, 2)
    records = "".join(json.dumps({"title": f"Late {n}"}) + "\n" for n in range(2200))
    source, out = os.pipe()
    fcntl(out, F_SETPIPE_SZ, 4096)
    with open(write(at("late"), records), "rb") as late, \
            by.run("add", "person", "--from", "-", how=start, stdin=late, stdout=out,
                   stderr=subprocess.DEVNULL) as process:
        os.close(out)
        select.select([source], [], [])
        process.send_signal(signal.SIGKILL)
    os.close(source)
    log = os.path.join(by.folder, "data-wal")
    check(os.path.getsize(log) > 100_000, "nothing is in the write-ahead log")
    before = files(by.folder)
    for number, (spoil_it, late_there) in enumerate([
            (lambda place: None, True),
            (lambda place: os.unlink(os.path.join(place, "data-wal")), False),
            (lambda place: write(os.path.join(place, "data-wal"), random.randbytes(500_000)), False),
            (lambda place: spoil(os.path.join(place, "data-wal"), 0), True),  # the preamble names the log
            (lambda place: spoil(os.path.join(place, "data-wal"), 4096 + 32 + 4120 * 3 + 500), True),
            (lambda place: spoil(os.path.join(place, "data"), 0, 512), True),
            (lambda place: spoil(os.path.join(place, "data"), 4096, 512), True),
            (lambda place: spoil(os.path.join(place, "data"), 0, 8192), True),
            (lambda place: os.unlink(os.path.join(place, "data")), True)]):
        bad, new = Store("skrynia", at(f"bad{number}")), Store("skrynia", at(f"new{number}"))
        shutil.copytree(by.folder, bad.folder)
        spoil_it(bad.folder)
        if number == 8:
            ran = bad.run("repair", new.folder, "--json")
            check(ran.code in (0, DAMAGED), f"without `data`: {ran.code} {ran.err}")
            continue
        report = repaired(bad, new.folder, code=0 if number == 0 else None)
        titles = {row["title"] for row in new.json("list")}
        check(new.json("verify") == good(report), f"{number}: verify")
        check("Withdrawn" not in titles, f"{number}: something withdrawn came back")
        check(sum(title.startswith("Late") for title in titles) >= (2000 if late_there else 0) and
              (late_there or not any(title.startswith("Late") for title in titles)),
              f"{number}: {len(titles)} titles")
        check("Birch, edited" in titles and number != 0 or len(titles) == 2232, f"{number}: {len(titles)}")
        if number in (1, 2, 3):
            text = bad("repair", at("text"), expect=DAMAGED)
            check("write-ahead log is missing, damaged" in text, text)
            shutil.rmtree(at("text"))
    check(files(by.folder) == before and ids, "the store was changed")
    for place in [by.folder, os.path.join(by.folder, "media")]:
        os.chmod(place, 0o500)
    check(by.run("repair", at("readonly")).code == 0, "from a folder that cannot be written to")
    for place in [by.folder, os.path.join(by.folder, "media")]:
        os.chmod(place, 0o700)
    check(files(by.folder) == before, "it was written to all the same")


def test(top):
    random.seed(SEED)
    for part in (exchange, withdrawn_meanwhile, backups, damaged_backups, repairs, marks, kills, after_crash):
        place = os.path.join(top, part.__name__)
        os.mkdir(place)
        part(place)


main(test)
