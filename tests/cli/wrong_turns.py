#!/usr/bin/env python3
"""Goal of this test: who takes a wrong turn is told what happened, what was kept and what to do next, and
nothing that would make it worse.

Files given to the wrong command, folders in place of files, copies that were put back, an invite that was
used twice, aliases of two devices, a store that is revoked. Each time nothing changes.
"""
import os
import shutil

from programs import (CREATE, IO, REFUSED, USAGE, WRONG_KEY, Store, archive, check, courier, device, expected, files, main, read,
                      write)


def told(store, status, *args, says=(), never=(), **more):
    """The command ends with that exit code, says all of this and none of that, and changes nothing."""
    before = files(store.folder)
    ran = expected(store.run(*args, **more), status, args)
    said = ran.out + ran.err
    for words in says:
        check(words in said, f"{args}: does not say {words!r}\n{said}")
    for words in never:
        check(words not in said, f"{args}: says {words!r}\n{said}")
    check(files(store.folder) == before, f"{args}: something changed")


def damaged(path, where=100_000, name=".damaged"):
    """A copy of a bundle with one other bit behind its header."""
    content = bytearray(read(path))
    content[where] ^= 1
    return write(path + name, bytes(content))


def check_wrong_files(to, by, at):
    """What is given to a command that takes something else."""
    folder = os.path.dirname(to.folder)
    by("add", "person", "title=One")
    by("export", at("first"))
    told(to, REFUSED, "import", damaged(at("first")), says=["ask for it again", "import --salvage"])
    lost = damaged(at("first"), 66_000, ".lost")
    told(to, REFUSED, "import", "--salvage", lost, says=["nothing of it can be kept"], never=["kept: " + lost])
    told(to, IO, "import", folder, says=["is a folder", "Name the bundles in it", "'watch'"],
         never=["import it again"])
    to("import", at("first"))
    to("receipt", "birch", at("answer"))
    told(to, REFUSED, "import", at("answer"), says=["this is no bundle for this archive", "sk for it again"])
    told(by, REFUSED, "receive", at("first"), says=["this is no receipt for this store"])
    new = Store("skrynia", at("new"))
    for other in at("first"), at("answer"):
        told(new, REFUSED, "init", "--insecure-test-kdf", "--invite", other, code="a b c d e f g h",
             says=["is no invite", "No store was made"])
    told(new, IO, "restore", folder, says=["is a folder", "Name the file"], never=["another disk"])
    check(not os.path.exists(new.folder), "a store was made")


def check_known(to, at):
    """Of a damaged copy of what is here nothing is lacking: nobody has to carry it once more."""
    for option in [], ["--salvage"]:
        told(to, REFUSED, "import", *option, at("first.damaged"), says=["is here already", "nothing is lacking"],
             never=["ask for it again"])


def check_invites(to, by, words, at):
    """An alias or an invite that is taken."""
    told(to, REFUSED, "invite", "birch", at("more"), says=["invited already", "another alias"])
    told(to, CREATE, "invite", "alder", at("first"), says=["left as it is"])
    told(by, REFUSED, "receive", at("birch.invite"), code=words,
         says=["accepted an invite of this archive before", "is for a new store"])


def check_code_words(to, at):
    """Code words with a slip in them, at each command that takes an invite. They come from a letter or the telephone."""
    words = to("invite", "elm", at("elm.invite")).split()
    other = ["baba"] * len(words)
    slips = ((words[:2] + ["zzyx"] + words[3:], "word 3 is not one of those"), (words[:7], "There are eight words, not 7"),
             (words + ["baba"], "There are eight words, not 9"), (other, "Check the eight words"))
    by = device(at("elm"))
    for typed, says in slips:
        for new in (["init", "--insecure-test-kdf"], ["restore", at("elm.invite")]):
            store = Store("skrynia", at("never"))
            ran = expected(store.run(*new, "--invite", at("elm.invite"), code=" ".join(typed)), WRONG_KEY, new)
            check(says in ran.err and "No store was made" in ran.err, f"{new}, {typed}: {ran.err}")
        told(by, WRONG_KEY, "receive", at("elm.invite"), code=" ".join(typed), says=[says, "Nothing was changed"],
             never=[typed[2]])
    by("receive", at("elm.invite"), code=", ".join(words).upper() + ".")


def check_put_back(to, by, at):
    """A store that was put back from a copy of its folder: what it sends is refused, and not asked for."""
    shutil.copytree(by.folder, at("copy"))
    by("add", "person", "title=Two")
    by("export", at("second"))
    to("import", at("second"))
    old = Store("skrynia", at("copy"))
    old("add", "person", "title=Another two")
    old("export", at("another"))
    ran = expected(to.run("import", at("another")), REFUSED, ["import"])
    check("needs a new store" in ran.err and "ask for it again" not in ran.err, ran.err)
    to("receipt", "birch", at("warning"))
    told(old, REFUSED, "receive", at("warning"),
         says=["Nothing was changed", "does not hold", "'repair NEWDIR'", "for a new invite"])


def check_archive_put_back(at):
    """An archive that was put back: its first receipts say so, and further ones are asked for."""
    to, letter = archive(at("office")), at("office.invite")
    words = to("invite", "pine", letter)
    by = device(at("pine"), letter=letter, words=words)
    by("add", "person", "title=One")
    by("export", at("one"))
    to("import", at("one"))
    shutil.copytree(to.folder, at("office copy"))
    old = Store("skrynia-receiver", at("office copy"))
    to("receipt", "pine", at("newest"))
    by("receive", at("newest"))
    old("receipt", "pine", at("of the copy"))
    told(by, REFUSED, "receive", at("of the copy"), says=["put back from an older copy", "a further receipt"],
         never=["ask for it again"])
    to("renew")
    to("receipt", "pine", at("keys"))
    by("receive", at("keys"))
    by("add", "person", "title=Two")
    by("export", at("two"))
    told(old, REFUSED, "import", at("two"), says=["keys that are not here"])
    to("import", at("two"))
    by("add", "person", "title=Three")
    by("export", at("three"))
    to("revoke", "pine")
    to("receipt", "pine", at("revoked"))
    ran = expected(by.run("receive", at("revoked")), REFUSED, ["receive"])
    check("has revoked this store" in ran.err and "'export --since" not in ran.out, ran.out + ran.err)


def check_names(at):
    """An archive is not made under a name that no invite can carry: it could never have a device."""
    to = Store("skrynia-receiver", at("named"))
    for name, words in (("", "1 to 100 bytes"), ("Я" * 51, "1 to 100 bytes"), ("a\x1b[31mb", "cannot be shown"),
                        ("a\u202eb", "cannot be shown"), ("a\nb", "cannot be shown")):
        told(to, USAGE, "init", "--insecure-test-kdf", "--name", name, says=["the archive's name", words])
        check(not os.path.exists(to.folder), f"an archive was made: {name!r}")
    to("init", "--insecure-test-kdf", "--name", "Я" * 50)
    to("invite", "Я" * 50, at("named.invite"))


def check_fields(by):
    """A field that is given twice: neither text is dropped in silence, and neither is repeated."""
    told(by, USAGE, "add", "person", "title=Secret one", "notes=x", "title=Secret two",
         says=["title: this field is given twice"], never=["Secret"])


def check_copies(at):
    """A copy whose folder was lost on the way, as when a variable of the shell is empty; and one that is there."""
    ran = courier("copy", at("first"), "", expect=USAGE)
    check("a folder without a name" in ran.err and ran.out == "", ran.err)
    os.mkdir(at("card"))
    courier("copy", at("first"), at("card"))
    ran = courier("copy", at("first"), at("card"), expect=CREATE)
    check("another folder" in ran.err and "'check'" in ran.err and "another name" not in ran.err, ran.err)


def check_devices(at):
    """Two devices under one alias: each can be named by what `devices` shows, which fits a narrow screen."""
    to, letter = archive(at("two devices")), at("oak.invite")
    words = to("invite", "oak", letter)
    stores = [device(at(name), letter=letter, words=words) for name in ("oak", "other oak")]
    for number, store in enumerate(stores):
        store("add", "person", "title=One")
        store("export", at(f"oak{number}"))
    to("import", at("oak0"))
    stores[1]("export", "--all", at("oak2"))
    to("import", at("oak2"))
    to("approve", "oak")
    told(to, USAGE, "receipt", "oak", at("out"), says=["several devices fit", "'devices' shows"])
    shown = to("devices").split("\n")
    check(all(len(line) < 80 and line == line.rstrip() for line in shown), shown)
    for row in to.json("devices"):
        check(any(line.startswith("oak ") and line.endswith(row["log"][:16]) for line in shown), shown)
        check("    " + row["safety_number"] in shown, shown)
        to("receipt", row["log"][:16], at(row["log"]))
        to("receipt", row["safety_number"], at(row["log"] + "again"))
    long = "the second laptop of the northern team"
    to("invite", long, at("long.invite"))
    shown = to("devices").split("\n")
    check(all(line == line.rstrip() for line in shown), f"blanks at the end of a line: {shown}")
    check(any(line.startswith(long + " ") for line in shown), f"an alias that is cut names nothing: {shown}")


def check_fork(at):
    """Of what waited, the bundle that makes a fork is not counted as imported."""
    to, letter = archive(at("fork")), at("ash.invite")
    words = to("invite", "ash", letter)
    first, other = [device(at(name), letter=letter, words=words) for name in ("ash", "other ash")]
    first("add", "person", "title=One")
    first("export", at("ash first"))
    other("add", "person", "title=One")
    other("export", at("ash other"))  # with the same index as the first one's: it is refused
    shutil.copytree(other.folder, at("ash copy"))
    copy = Store("skrynia", at("ash copy"))
    other("export", "--all", at("ash one"))
    other("add", "person", "title=Two")
    other("export", at("ash two"))
    copy("add", "person", "title=Another two")
    for name in "unused", "unused again", "ash fork":
        copy("export", "--all", at(name))
    for name in "ash first", "ash one", "ash two", "ash fork":
        to("import", at(name))
    waiting = [row["log"] for row in to.json("devices") if row["state"] == "waiting"]
    ran = expected(to.run("approve", waiting[0][:16]), 0, ["approve"])
    check("approved; 2 waiting bundles were imported" in ran.err and "fork" in ran.out + ran.err, ran.out + ran.err)
    check(len(to.json("quarantine")) == 1, "the one that makes a fork stays")


def check_positions(to, by, at):
    """A position beyond the log, also of a store in which nothing is."""
    told(device(at("empty"), to, "empty"), USAGE, "export", "--since", "1", at("out"), says=["nothing is recorded yet"])
    last = by.json("status")["size"] - 1
    told(by, USAGE, "export", "--since", "99", by.folder + ".out", says=[f"the last position is {last}:"])


def test(top):
    def at(name):
        return os.path.join(top, name)

    to = archive(at("archive"))
    words = to("invite", "birch", at("birch.invite"))
    by = device(at("birch"), letter=at("birch.invite"), words=words)
    check_wrong_files(to, by, at)
    check_known(to, at)
    check_invites(to, by, words, at)
    check_code_words(to, at)
    check_positions(to, by, at)
    check_put_back(to, by, at)
    check_archive_put_back(at)
    check_names(at)
    check_fields(by)
    check_copies(at)
    check_devices(at)
    check_fork(at)


main(test)
