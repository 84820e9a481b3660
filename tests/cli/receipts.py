#!/usr/bin/env python3
"""Goal of this test: what an archive answers, and what a documenter does with it.

Of three bundles the middle one is lost; the receipt asks for it, and the next plain export sends exactly
that. A last one that is lost is told as still on its way. What the receipts of every archive cover can be purged: text, files and words go, the log stays, and
everything that looks says "purged". What was purged can be withdrawn, also at the archive, and stays purged
through backup, restore, repair and rekey.
A device that is revoked is told, and sends nothing more to that archive; what it sent from there on is
marked or put aside, and withdraws nothing that a restored store holds.
"""
import json
import os
import shutil

from programs import CONFIG, MISSING, REFUSED, USAGE, Store, archive, check, device, expected, files, main, read, sha256, write

SECRET = "Сьведчаньне пра возера"


def answer(to, by, path, alias="birch"):
    """A receipt that is taken; what `receive` says of it."""
    to("receipt", alias, path)
    return by.json("receive", path)


def positions(by, n=0):
    return by.json("status")["archives"][n]


def lose_the_middle(top, to, by):
    """Three bundles with two records each, of which the second never arrives."""
    ids = []
    for i in range(3):
        ids += [by("add", "testimony", f"title={SECRET} {i}{j}", f"text=лодка{i}{j} ля берага") for j in "ab"]
        by("export", os.path.join(top, f"bundle{i}"))
    to("import", os.path.join(top, "bundle0"))
    result = to.json("import", os.path.join(top, "bundle2"))[0]
    check(result["gaps"] == [[2, 4]], f"the gap: {result}")
    said = answer(to, by, os.path.join(top, "receipt1"))
    check(said["wanted"] == 2 and said["lost"] == 0, f"what is asked for: {said}")
    check(positions(by)["wanted"] == [[2, 4]], "the wanted range")
    ran = expected(by.run("export", os.path.join(top, "again")), 0, ["export"])
    check("carries 2 entries, positions 2 to 3" in ran.err, f"not exactly what is wanted: {ran.err}")
    result = to.json("import", os.path.join(top, "again"))[0]
    check(result["new"] == 2 and result["gaps"] == [], f"the gap is closed: {result}")
    check("nothing new" in expected(by.run("export", os.path.join(top, "no")), 0, ["export"]).err, "all was sent")
    return ids


def looks_purged(by, record, other):
    """Everything that looks at the store tells what was purged, and does not deny that it was."""
    shown = by.json("show", record)
    check(shown["purged"] and shown["fields"] is None and shown["attachments"] == [] and shown["links"] == [],
          f"show: {shown}")
    check(shown["purged_with_it"] == 2, f"what hung on it: {shown}")
    check("purged" in by("show", record) and "withdrawn" not in by("show", record), "show, as text")
    check([row.get("purged") for row in by.json("history", record)] == [True, True], "history")
    check("(purged" in by("history", record), "history, as text")
    rows = {row["id"]: row for row in by.json("list")}
    check(rows[record]["purged"] and rows[record]["title"] == "" and "purged" not in rows[other], f"list: {rows}")
    check("purged" in by("list"), "list, as text")
    ran = expected(by.run("search", "лодка00"), 0, ["search"])
    check(ran.out == "" and "purged here and cannot be searched" in ran.err, f"search: {ran.err}")
    check(by.json("verify") == {"ok": True, "problems": []}, "verify")
    check("purged" in by("edit", record, "title=x", expect=REFUSED) + by.run("edit", record, "title=x").err, "edit")


def purge(top, to, by, ids):
    first, other = ids[0], ids[5]
    by("edit", first, f"title={SECRET}, again")
    photo = by("attach", first, write(os.path.join(top, "photo.jpg"), os.urandom(200_000)))
    link = by("link", first, "evidence-for", other)
    by("purge", expect=USAGE)
    by("purge", "--all", first, expect=USAGE)
    ran = expected(by.run("purge", photo), 0, ["purge"])
    check("1 entry was not purged" in ran.err, f"no receipt covers the photo: {ran.err}")
    # Only what a receipt covers goes: the first revision, and not what is shown.
    check(by.json("purge", first) == {"entries": 1, "items": 1, "left": 3}, "a record that is covered in part")
    check(by.json("show", first)["fields"]["title"] == f"{SECRET}, again", "what is shown stays")
    check([row.get("purged") for row in by.json("history", first)] == [True, None], "the first revision went")
    check(by.json("purge", ids[2]) == {"entries": 0, "items": 0, "left": 1}, "what was asked for stays")
    check(by.json("verify") == {"ok": True, "problems": []}, "verify in between")
    by("export", os.path.join(top, "rest"))
    to("import", os.path.join(top, "rest"))
    answer(to, by, os.path.join(top, "receipt2"))
    media = os.listdir(os.path.join(by.folder, "media"))
    check(by.json("purge", first) == {"entries": 3, "items": 3, "left": 0}, "a record with what hangs on it")
    check(len(media) == 1 and os.listdir(os.path.join(by.folder, "media")) == [], "the file went")
    looks_purged(by, first, other)
    by("extract", photo, os.path.join(top, "nothing"), expect=REFUSED)
    check(by.json("status")["purged"] == [[0, 1], [6, 9]], f"status: {by.json('status')}")
    check(by("search", "возера").count("\n") == 4, "the others are found")
    check(by.json("purge", first) == {"entries": 0, "items": 0, "left": 0}, "once more")
    return first, other, photo, link


def goes_on(top, to, by, first):
    """New entries go out, an older receipt changes nothing, a whole export says what it lacks."""
    by("add", "event", "title=Пазьней")
    by("export", os.path.join(top, "later"))
    to("import", os.path.join(top, "later"))
    said = by.json("receive", os.path.join(top, "receipt1"))
    check(said["older"], f"an older receipt: {said}")
    ran = expected(by.run("export", "--all", os.path.join(top, "all")), 0, ["export"])
    check("4 of them go without what they say" in ran.err, f"--all: {ran.err}")
    check(to.json("import", os.path.join(top, "all"))[0]["new"] == 0, "nothing is new in it")
    check(to.json("verify") == {"ok": True, "problems": []}, "the archive verifies")
    check(SECRET in to("show", first), "the archive still shows it")


def further_archive(top, by, first):
    """An archive that comes too late is told, gets the entries, and what it says covers is not enough."""
    late = archive(os.path.join(top, "late"), "Late")
    letter = os.path.join(top, "letter")
    words = late("invite", "birch", letter)
    ran = expected(by.run("receive", letter, code=words), 0, ["receive"])
    check("was purged here" in ran.err, f"the invite: {ran.err}")
    check(by.json("purge", "--all")["entries"] == 0, "the new archive has nothing")
    by("export", os.path.join(top, "for late"))
    late("import", os.path.join(top, "for late"))
    check(late.json("verify") == {"ok": True, "problems": []}, "it verifies")
    check("has not arrived" in late("show", first), "it has the entry alone")
    said = answer(late, by, os.path.join(top, "late receipt"))
    check(said["bare"] == 4 and said["wanted"] == 0, f"what neither has: {said}")
    late("receipt", "birch", os.path.join(top, "late receipt 2"))
    said = by("receive", os.path.join(top, "late receipt 2"))
    check("Of 4 entries it has no more than that they are there" in said and "may have it" in said, f"in words: {said}")


def kept_through(top, by, first):
    """Backup and restore, repair, rekey: what was purged stays so, and is no loss."""
    by("backup", os.path.join(top, "backup"))
    restored = Store("skrynia", os.path.join(top, "restored"))
    report = restored.json("restore", os.path.join(top, "backup"), "--insecure-test-kdf")
    check(report["purged"] == 4 and report["lost"] == [], f"restore: {report}")
    repaired = Store("skrynia", os.path.join(top, "repaired"))
    shutil.copytree(by.folder, os.path.join(top, "copy"))
    report = Store("skrynia", os.path.join(top, "copy")).json("repair", repaired.folder)
    check(report["purged"] == 4 and report["lost"] == [], f"repair: {report}")
    renewed = Store("skrynia", os.path.join(top, "copy"))
    renewed("rekey")
    for store in restored, repaired, renewed:
        check(store.json("show", first)["purged"], store.folder)
        check(store.json("verify") == {"ok": True, "problems": []}, f"verify of {store.folder}")
        check(store.json("show", first)["purged_with_it"] == 2, f"what hung on it, in {store.folder}")


def withdraw(top, to, by, first, photo, link):
    """What was purged is withdrawn with what hung on it, and is erased at the archive."""
    ran = expected(by.run("withdraw", first), 0, ["withdraw"])
    check("3 things were withdrawn" in ran.err, f"withdraw: {ran.err}")
    check("withdrawn" in by("show", first), "it is withdrawn now, not purged")
    check(by.json("verify") == {"ok": True, "problems": []}, "verify after the withdrawal")
    by("export", os.path.join(top, "withdrawal"))
    to("import", os.path.join(top, "withdrawal"))
    check("withdrawn" in to("show", first), "erased at the archive")
    to("extract", photo, os.path.join(top, "nothing"), expect=REFUSED)
    check(to.json("verify") == {"ok": True, "problems": []}, "the archive verifies after it")
    by("purge", first, expect=REFUSED)


def lose_the_last(top):
    """No gap shows it; the receipt that lacks it does."""
    place = os.path.join(top, "last")
    os.mkdir(place)
    to = archive(os.path.join(place, "archive"))
    by = device(os.path.join(place, "store"), to)
    for name in ("first", "last"):
        by("add", "event", f"title={name}")
        by("export", os.path.join(place, name))
    to("import", os.path.join(place, "first"))
    to("receipt", "birch", os.path.join(place, "before"))
    said = by("receive", os.path.join(place, "before")).replace("\n ", "")
    check("1 more left from here, from position 1 on, and is not in this receipt" in said and
          "'export --since 1' sends it again" in said, f"what is on its way: {said}")
    by("export", "--since", "1", os.path.join(place, "again"))
    to("import", os.path.join(place, "again"))
    said = answer(to, by, os.path.join(place, "after"))
    check(said["on_way"] == 0 and said["wanted"] == 0 and said["arrived"] == 2, f"nothing is on its way: {said}")


def refused(top):
    """Without an archive, and on a store that was put back from an older copy."""
    alone = device(os.path.join(top, "alone"))
    alone("add", "event", "title=Адзін")
    alone("purge", "--all", expect=CONFIG)
    to = archive(os.path.join(top, "archive2"))
    by = device(os.path.join(top, "rolled"), to, alias="rolled")
    by("add", "event", "title=Першы")
    by("export", os.path.join(top, "r1"))
    to("import", os.path.join(top, "r1"))
    shutil.copytree(by.folder, os.path.join(top, "older"))
    by("add", "event", "title=Другі")
    by("export", os.path.join(top, "r2"))
    to("import", os.path.join(top, "r2"))
    to("receipt", "rolled", os.path.join(top, "r receipt"))
    older = Store("skrynia", os.path.join(top, "older"))
    older("add", "event", "title=Іншы другі")
    check(older.json("receive", os.path.join(top, "r receipt"), expect=REFUSED)["rollback"], "an older copy is told")
    check(older.json("purge", "--all")["entries"] == 0, "nothing is acknowledged there, nothing goes")
    by("receive", os.path.join(top, "r receipt"))
    # Another archive's receipt is none, and covers nothing.
    other = archive(os.path.join(top, "archive3"))
    strange = device(os.path.join(top, "strange"), other, alias="strange")
    strange("add", "event", "title=Чужы")
    strange("export", os.path.join(top, "s1"))
    other("import", os.path.join(top, "s1"))
    before = files(strange.folder)
    strange("receive", os.path.join(top, "r receipt"), expect=REFUSED)
    check(strange.json("purge", "--all")["entries"] == 0, "nothing was acknowledged")
    check(strange.json("status")["purged"] == [], "nothing went")
    check(set(before) == set(files(strange.folder)), "no file came or went")
    check(by.json("purge", "--all") == {"entries": 2, "items": 2, "left": 0}, "all that is covered")
    check(by.json("list") and all(row["purged"] for row in by.json("list")), "all is listed as purged")


def revoke(top):
    """A device is revoked at one of its two archives; the other goes on."""
    one, two = archive(os.path.join(top, "one"), "One"), archive(os.path.join(top, "two"), "Two")
    by = device(os.path.join(top, "lost laptop"), one, alias="lost")
    letter = os.path.join(top, "second letter")
    by("receive", letter, code=two("invite", "lost", letter))
    kept = by("add", "event", "title=Да адклікання")
    by("export", os.path.join(top, "v0"))
    behind = by("add", "event", "title=Пасьля мяжы")
    by("export", os.path.join(top, "v1"))
    for to in one, two:
        to("import", os.path.join(top, "v0"))
        to("import", os.path.join(top, "v1"))
    one("revoke", "nobody", expect=MISSING)
    one("revoke", "lost", "--from", "x", expect=USAGE)
    one("receipt", "lost", os.path.join(top, "before"))
    check(one.json("revoke", "lost") == {"device": "lost", "revoked": 2, "held": 0}, "at the end of what is held")
    check(one.json("revoke", "lost", "--from", "1")["held"] == 1, "earlier")
    ran = one.run("revoke", "lost", "--from", "2")
    check(ran.code == REFUSED and "never taken back" in ran.err, f"later: {ran.err}")
    row = one.json("devices")[0]
    check((row["revoked"], row["revoked_entries"], row["state"]) == (1, 1, "enrolled"), f"devices: {row}")
    check("revoked from position 1 on; 1 entry is held" in one("devices"), "devices, as text")
    rows = {row["id"]: row for row in one.json("list")}
    check(rows[behind]["revoked"] and "revoked" not in rows[kept], f"list: {rows}")
    check(one.json("show", behind)["revoked"] and "revoked" not in one.json("show", kept), "show")
    check("(revoked" in one("show", behind) and "(revoked" in one("history", behind), "show and history, as text")
    check("revoked (!)" in one.run("list").err, "list, as text")

    # What comes from there on waits, with the reason; the receipt tells both.
    by("add", "event", "title=Яшчэ")
    by("export", os.path.join(top, "v2"))
    result = one.json("import", os.path.join(top, "v2"))[0]
    check(result["new"] == 0 and result["quarantined"] == 1, f"it was taken: {result}")
    check("revoked: from position 1" in one.json("quarantine")[0]["reason"], "the reason")
    check(two.json("import", os.path.join(top, "v2"))[0]["new"] == 1, "the other archive takes it")
    one("receipt", "lost", os.path.join(top, "told"))
    ran = by.run("receive", os.path.join(top, "told"), "--json")
    check(ran.code == REFUSED and json.loads(ran.out)["revoked"] == 1, f"receive: {ran.out} {ran.err}")
    check("has revoked this store" in ran.err and "quarantine" in json.loads(ran.out)["notes"], ran.err)
    # An older receipt, from before, takes nothing back.
    check(by.run("receive", os.path.join(top, "before")).code == REFUSED, "an older receipt")
    check([a.get("revoked") for a in by.json("status")["archives"]].count(1) == 1, "status")
    check("has revoked this store" in by("status"), "status, as text")
    by("add", "event", "title=Толькі другому")
    ran = expected(by.run("export", os.path.join(top, "v3")), 0, ["export"])
    check("has revoked this store" in ran.err and "for Two." in ran.err, f"export: {ran.err}")
    one("import", os.path.join(top, "v3"), expect=REFUSED)
    check(two.json("import", os.path.join(top, "v3"))[0]["new"] == 1, "the other archive goes on")
    for store in by, one, two:
        check(store.json("verify") == {"ok": True, "problems": []}, f"verify of {store.folder}")
    # With the other archive gone too, nothing is sent at all.
    two("revoke", "lost")
    two("receipt", "lost", os.path.join(top, "told2"))
    by("receive", os.path.join(top, "told2"), expect=REFUSED)
    by("add", "event", "title=Нікому")
    by("export", os.path.join(top, "v4"), expect=REFUSED)
    check(not os.path.exists(os.path.join(top, "v4")), "no file")


def seized(top):
    """A seized old store can withdraw nothing at the archive that the restored one holds."""
    to = archive(os.path.join(top, "office"))
    by = device(os.path.join(top, "old"), to, alias="old")
    ids = [by("add", "testimony", f"title={SECRET} {i}", "text=за лесам") for i in range(2)]
    by("edit", ids[0], "text=за лесам і полем")
    write(os.path.join(top, "здымак.jpg"), b"a lake")
    photo = by("attach", ids[0], os.path.join(top, "здымак.jpg"))
    by("backup", os.path.join(top, "old backup"))
    by("export", os.path.join(top, "o1"))
    to("import", os.path.join(top, "o1"))
    letter = os.path.join(top, "new letter")
    heir = Store("skrynia", os.path.join(top, "heir"))
    heir("restore", os.path.join(top, "old backup"), "--insecure-test-kdf", "--invite", letter,
         code=to("invite", "new", letter))
    heir("export", os.path.join(top, "h1"))
    to("import", os.path.join(top, "h1"))
    by("withdraw", ids[0])  # whoever has the old laptop
    by("export", os.path.join(top, "o2"))
    to("import", os.path.join(top, "o2"))
    check("withdrawn" in to("show", ids[0]), "before the revocation it erases, as it must")
    # The restored store is told which, at once and whenever it asks, and a purge leaves that.
    what = [{"id": ids[0], "type": "testimony", "title": f"{SECRET} 0"},
            {"id": photo, "type": "attachment", "title": "здымак.jpg"}]
    check("withdrawn_items" not in heir.json("status")["archives"][0], "nobody has said so yet")
    to("receipt", "new", os.path.join(top, "heir told"))
    said = expected(heir.run("receive", os.path.join(top, "heir told")), 0, ["receive"]).out
    check("Of 3 entries it has erased what they say" in said and "'revoke'" in said, f"what another withdrew: {said}")
    for text in said, heir("status"):
        check([text.count(row["id"]) for row in what] == [1, 1], f"which they are, once: {text}")
        check(f"{ids[0]}  testimony  {SECRET} 0\n" in text and ids[1] not in text, f"by their titles: {text}")
    check("withdrawn there:   1, 3-4  (3 entries)" in heir("status"), "at which positions")
    to("receipt", "new", os.path.join(top, "heir told again"))
    again = heir.json("receive", os.path.join(top, "heir told again"))
    check((again["withdrawn"], again["withdrawn_items"]) == (3, what), f"the same for a program: {again}")
    row = heir.json("status")["archives"][0]
    check((row["withdrawn"], row["withdrawn_items"]) == ([[1, 2], [3, 5]], what), f"and here: {row}")
    heir("purge", "--all")
    check("за лесам" in heir("show", ids[0]) and "за лесам" not in heir("show", ids[1]), "only that is kept")
    # The log is revoked from where the two part. What was erased comes again; a further one is not taken.
    check(to.json("revoke", "old", "--from", "4") == {"device": "old", "revoked": 4, "held": 2}, "revoke")
    check(to.json("verify") == {"ok": True, "problems": []}, "verify after it")
    heir("export", "--all", os.path.join(top, "h2"))
    to("import", os.path.join(top, "h2"))
    check(f"{SECRET} 0" in to("show", ids[0]), "what was erased is there again")
    to("receipt", "new", os.path.join(top, "heir calmed"))
    check(heir.json("receive", os.path.join(top, "heir calmed"))["withdrawn_items"] == [], "no longer told")
    check("withdrawn there" not in heir("status"), "nor here")
    by("withdraw", ids[1])
    by("export", os.path.join(top, "o3"))
    check(to.json("import", os.path.join(top, "o3"))[0]["quarantined"] == 1, "it is not taken")
    check(f"{SECRET} 1" in to("show", ids[1]), "nothing is erased")
    check(to.json("verify") == {"ok": True, "problems": []}, "the archive verifies")
    devices = {row["alias"]: row for row in to.json("devices")}
    check(devices["new"]["revoked"] is None, "the restored store is not revoked")
    # And it goes on: what it withdraws itself is erased.
    heir("withdraw", ids[1])
    heir("export", os.path.join(top, "h3"))
    to("import", os.path.join(top, "h3"))
    check("withdrawn" in to("show", ids[1]), "its own withdrawal counts")
    check(to.json("verify") == {"ok": True, "problems": []}, "the archive verifies at the end")


def test(top):
    to = archive(os.path.join(top, "archive"))
    by = device(os.path.join(top, "store"), to)
    ids = lose_the_middle(top, to, by)
    first, other, photo, link = purge(top, to, by, ids)
    goes_on(top, to, by, first)
    kept_through(top, by, first)
    further_archive(top, by, first)
    withdraw(top, to, by, first, photo, link)
    lose_the_last(top)
    refused(top)
    revoke(top)
    seized(top)


main(test)
