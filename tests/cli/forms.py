#!/usr/bin/env python3
"""Goal of this test: a form that an organisation wrote reaches a device with a receipt, is recorded under like
a built-in type, and goes with the records to archives that never saw it.

The archive offers a form, a newer version of it, and stops; what is no form is refused and changes nothing.
The device is told, lists it, records under it in every way, edits under the version that a record was made
with, and keeps all that through backup, restore, repair and rekey. An archive that gets the bundles in another
order shows the records when their form has come, and not before.
"""
import json
import os
import shutil

from programs import (MISSING, PASSPHRASE, REFUSED, USAGE, Store, archive, check, device, expected, files, main,
                      write)
from tmux import Terminal

TITLE = {"name": "title", "label": "Што здарылася", "type": "text", "access": "internal", "required": True}
HOW = {"name": "how", "label": "How it ended", "type": "choice", "access": "public",
       "choices": [{"name": "fine", "label": "Fine"}, {"name": "arrest", "label": "Days of arrest"}]}
DAYS = {"name": "days", "label": "Days", "type": "integer", "access": "public"}


def form(version, *fields, name="detention", **more):
    return {"form": name, "type": "testimony", "version": version, "label": "Detention at a protest",
            "fields": [TITLE, *fields], **more}


class World:
    def __init__(self, top):
        self.top = top
        self.to = archive(self.at("archive"), "Archive")
        self.by = device(self.at("store"), self.to)
        self.by("add", "person", "title=Янка")
        self.carry("first", self.to)

    def at(self, name):
        return os.path.join(self.top, name)

    def file(self, name, content):
        return write(self.at(name), content if isinstance(content, str) else json.dumps(content, indent=1))

    def carry(self, name, *to):
        self.by("export", self.at(name))
        for one in to:
            one("import", self.at(name))

    def answer(self, name):
        self.to("receipt", "birch", self.at(name))
        return self.by.json("receive", self.at(name))


def refused(w):
    """What is no form, or has the name of a type, or an old version."""
    before = w.to.json("forms")
    for number, bad in enumerate((
            "", "[]", '{"form": "x"}', form(1, name="person"), form(1, name="-x"), form(1, name="Detention"),
            form(0), form(1, more=1), form(1, TITLE), form(1, label="a\u202eb"), form(1, label=" "),
            form(1, {**HOW, "choices": []}), form(1, {**DAYS, "name": "missing"}), form(1, {**DAYS, "label": ""}),
            {**form(1), "fields": [DAYS]}, {**form(1), "fields": [{**TITLE, "required": False}]},
            form(1, *({**DAYS, "name": f"n{i}"} for i in range(200))),
            form(1, {**DAYS, "hint": "x" * 501}), form(1, label="x" * 70_000))):
        ran = expected(w.to.run("forms", "add", w.file(f"bad{number}", bad)), REFUSED, ["forms", "add", str(bad)])
        check(ran.out == "" and "Nothing was changed" in ran.err and "\u202e" not in ran.err, f"{bad}: {ran.err}")
    expected(w.to.run("forms", "add", w.at("nothing")), MISSING, ["forms", "add"])
    expected(w.to.run("forms", "stop", "detention"), MISSING, ["forms", "stop"])
    for args in ["forms", "add"], ["forms", "show"], ["forms", "nonsense"], ["forms", "list", "x"]:
        expected(w.to.run(*args), USAGE, args)
    expected(w.by.run("forms", "add", w.at("bad0")), USAGE, ["a device offers nothing"])
    check(w.to.json("forms") == before == [], "what was refused is offered")


def offered(w):
    """The archive offers it; the device is told in one sentence, and lists it."""
    ran = expected(w.to.run("forms", "add", w.file("form1", form(1, HOW))), 0, ["forms", "add"])
    check("is offered now" in ran.err, ran.err)
    check("was offered before" in w.to.run("forms", "add", w.at("form1")).err, "once more")
    row = {"form": "detention", "type": "testimony", "version": 1, "label": "Detention at a protest"}
    check(w.to.json("forms") == [row], f"{w.to.json('forms')}")
    check("Days of arrest" in w.to("forms", "show", "detention"), "its fields")
    expected(w.by.run("add", "detention", "title=x"), USAGE, ["add"])
    w.to("receipt", "birch", w.at("receipt1"))
    ran = expected(w.by.run("receive", w.at("receipt1")), 0, ["receive"])
    check("A new form came: detention (Detention at a protest, version 1). 'add NAME' records under it." in ran.out,
          ran.out)
    check(w.by.json("forms")[6:] == [{**row, "archive": "Archive"}], f"{w.by.json('forms')}")
    check("of Archive" in w.by("forms") and "how" in w.by("forms", "show", "detention"), "as text")
    check(w.by.json("forms", "show", "detention") == form(1, HOW), "the form itself")
    check(w.answer("receipt1b")["forms"] == [], "it is told once")
    check(w.by.json("receive", w.at("receipt1"))["older"], "an older receipt")


def recorded(w):
    """FIELD=VALUE, --from, by a person at a terminal; what does not fit is refused and leaves no form behind."""
    positions = w.by.json("status")["size"]
    for args in ["title=x", "days=3"], ["how=arrest"], ["title=x", "how=nothing"]:
        ran = w.by.run("add", "detention", *args)
        check(ran.code in (USAGE, REFUSED) and ran.out == "", f"{args}: {ran.code} {ran.err}")
    check(w.by.json("status")["size"] == positions, "what was refused is in the log")
    first = w.by("add", "detention", "title=Ля возера", "how=Days of arrest")
    check(w.by.json("status")["size"] == positions + 2, "the form, and the record")
    more = w.by("add", "detention", "--from", "-",
                stdin=json.dumps([{"title": "Two"}, {"title": "Three", "how": "fine"}])).split()
    check(w.by.json("status")["size"] == positions + 4, "the form is there once")
    with Terminal(w.top, w.top) as t:
        t.run(f"skrynia --store {w.by.folder} add detention")
        t.wait(r"Passphrase: $")
        t.type(PASSPHRASE)
        t.wait(r"Што здарылася \(required\)(.|\n)*> $")
        t.type("Asked")
        t.wait(r"How it ended(.|\n)*Days of arrest(.|\n)*> $")
        t.type("2")
        t.wait(r"Save this\? \[Y/n\] $")
        t.type("")
        _, code = t.finish()
        check(code == 0, "add at a terminal")
    asked = w.by.json("list")[0]["id"]
    check(w.by.json("show", asked)["fields"] == {"title": "Asked", "how": "arrest"}, "what was asked")
    shown = w.by("show", first)
    check("Detention at a protest " + first in shown and "How it ended" in shown and "Days of arrest" in shown, shown)
    check("Type testimony, form detention, version 1\n" in shown, f"a label alone may be that of another type: {shown}")
    row = w.by.json("show", first)
    check((row["type"], row["form"], row["form_version"]) == ("testimony", "detention", 1), f"{row}")
    check(first in w.by("list", "testimony") and first in w.by("search", "возера"), "list and search")
    w.by("edit", first, "how=fine")
    check("How it ended" in w.by("history", first) and w.by.json("show", first)["fields"]["how"] == "fine", "edit")
    ran = expected(w.by.run("edit", first, "days=1"), USAGE, ["edit"])
    check("no such field" in ran.err, ran.err)
    check(w.by.json("verify") == {"ok": True, "problems": []}, "verify")
    return [first, *more, asked]


def elsewhere(w, ids):
    """The archive that offers it, and one that never saw it, in both orders of bundles."""
    w.carry("second", w.to)
    late = archive(w.at("late"), "Late")
    letter = w.at("letter")
    words = late("invite", "birch", letter)
    w.by("receive", letter, code=words)
    # Another order: the form lies in the first half.
    start = w.by.json("status")["size"]
    w.by("add", "detention", "title=Later", "how=fine")
    newest = w.by.json("list")[0]["id"]
    w.by("export", "--since", str(start), w.at("half"))
    late("import", w.at("half"))
    check(late.json("list") == [], "a record is shown without its form")
    check("its form is not here" in late("show", newest) and late.json("quarantine") != [], late("show", newest))
    check(late.json("verify") == {"ok": True, "problems": []}, "verify without the form")
    w.by("export", "--all", w.at("whole"))
    for one in w.to, late:
        one("import", w.at("whole"))
        check({row["id"] for row in one.json("list")} >= {*ids, newest}, "not all is shown")
        check(one.json("quarantine") == [], f"{one.json('quarantine')}")
        check("How it ended" in one("show", newest) and "Fine" in one("show", newest), "with its labels")
        check(newest in one("search", "Later"), "search")
        check(one.json("verify") == {"ok": True, "problems": []}, "verify")
    check(late.json("forms") == [], "it offers nothing by that")
    check("Fine" in late("history", ids[0]) and "Days of arrest" in late("history", ids[0]), "history")
    return late


def versions(w, first):
    """A newer version; records stay under theirs. Then it is offered no more."""
    expected(w.to.run("forms", "add", w.file("form1b", form(1, HOW, DAYS))), REFUSED, ["the same version"])
    w.to("forms", "add", w.file("form2", form(2, HOW, DAYS)))
    ran = expected(w.to.run("forms", "add", w.at("form1")), REFUSED, ["an older version"])
    check("a higher version" in ran.err, ran.err)
    said = w.answer("receipt2")
    check([row["version"] for row in said["forms"]] == [2], f"{said['forms']}")
    second = w.by("add", "detention", "title=Two versions", "days=5")
    check(w.by.json("show", second)["form_version"] == 2, "the newer one")
    expected(w.by.run("edit", first, "days=1"), USAGE, ["the older one has no such field"])
    w.by("edit", first, "title=Ля вялікага возера")
    check(w.by.json("show", first)["form_version"] == 1, "it stays under its version")
    w.to("forms", "stop", "detention")
    said = w.answer("receipt3")
    check(said["forms_gone"] == ["detention"] and len(w.by.json("forms")) == 6, f"{said}")
    ran = expected(w.by.run("add", "detention", "title=x"), USAGE, ["add"])
    check("'forms' lists what can be recorded" in ran.err, ran.err)
    w.by("edit", second, "days=6")
    check(w.by.json("show", second)["fields"]["days"] == 6, "records under it can be edited")
    expected(w.to.run("forms", "add", w.at("form1")), REFUSED, ["an older version after it was stopped"])
    w.to("forms", "add", w.at("form2"))
    check([row["form"] for row in w.answer("receipt4")["forms"]] == ["detention"], "offered again")
    return second


def kept(w, first, second):
    """Backup and restore, repair, rekey, purge: the forms are in the log."""
    w.carry("third", w.to)
    w.by("backup", w.at("backup"))
    restored, repaired = Store("skrynia", w.at("restored")), Store("skrynia", w.at("repaired"))
    restored("restore", w.at("backup"), "--insecure-test-kdf")
    shutil.copytree(w.by.folder, w.at("copy"))
    renewed = Store("skrynia", w.at("copy"))
    check(renewed.json("repair", repaired.folder)["lost"] == [], "repair")
    renewed("rekey")
    for store in restored, repaired, renewed:
        check(store.json("show", first)["form_version"] == 1, store.folder)
        check(store.json("verify") == {"ok": True, "problems": []}, f"verify of {store.folder}")
        store("edit", second, "days=7")
        check([row["version"] for row in store.json("forms")[6:]] == [2], f"{store.json('forms')}")
        store("add", "detention", "title=After it", "days=1")
        check(store.json("verify") == {"ok": True, "problems": []}, f"verify of {store.folder}, after it")
    # At an archive the log that continues has its forms.
    letter = w.at("letter2")
    words = w.to("invite", "heir", letter)
    restored("receive", letter, code=words)
    restored("export", w.at("heir"))
    w.to("import", w.at("heir"))
    check(w.to.json("show", second)["fields"]["days"] == 7 and w.to.json("show", second)["device"] == "heir", "the heir")
    check(w.to.json("verify") == {"ok": True, "problems": []}, "the archive verifies")


def purged(w, late, first):
    """What was recorded is purged, and the forms are not; a device that is revoked learns of no form."""
    w.by("add", "detention", "title=Last", "days=2")
    late("import", w.at("third"))
    w.carry("fourth", w.to, late)
    for number, one in enumerate((w.to, late)):
        one("receipt", "birch", w.at(f"covers{number}"))
        w.by.json("receive", w.at(f"covers{number}"))
    size = w.by.json("status")["size"]
    done = w.by.json("purge", "--all")
    check(done["left"] == 0 and done["entries"] == size - 2, f"all but two versions of the form: {done}")
    check(w.by.json("verify") == {"ok": True, "problems": []}, "verify")
    more = w.by("add", "detention", "title=More", "how=fine")
    check("Fine" in w.by("show", more), "it goes on")
    w.by("withdraw", first)
    w.carry("later", w.to)
    check("Fine" in w.to("show", more) and "withdrawn" in w.to("show", first), "at the archive too")
    check(w.to.json("verify")["ok"], "the archive verifies")
    w.to("revoke", "birch")
    w.to("receipt", "birch", w.at("receipt5"))
    ran = expected(w.by.run("receive", w.at("receipt5")), REFUSED, ["receive"])
    check("Offered no more: detention" in ran.out and len(w.by.json("forms")) == 6, ran.out)


def test(top):
    w = World(top)
    refused(w)
    offered(w)
    ids = recorded(w)
    late = elsewhere(w, ids)
    second = versions(w, ids[0])
    kept(w, ids[0], second)
    purged(w, late, ids[0])


main(test)
