#!/usr/bin/env python3
"""Goal of this test: no program reads what is not there or not set, and none leaks, in a whole exchange.

Every command of the three programs runs under valgrind, from init to the receipt, with its refusals: a
wrong passphrase, damaged and cut bundles, an unknown device, input that is none.
"""
import json
import os
import re
import subprocess

import programs
from programs import (MISSING, REFUSED, USAGE, WRONG_KEY, archive, check, courier, device, expected, main,
                      read, run, write)

HERE = os.path.dirname(os.path.abspath(__file__))
MEMCHECK = ["sh", os.path.join(HERE, "..", "support", "valgrind.sh")]
MISTAKES = {"leak": "(void)!malloc(10)", "unset": "int *a = malloc(4); if (*a) puts(\"x\"); free(a)"}
BOTH = ("list", "list person", "search ганна", "show {person}", "history {person}", "verify", "list --json",
        "search суд --json", "show {person} --json", "history {person} --json", "verify --json")
REFUSALS = ((MISSING, "show 00000000"), (USAGE, "list dog"), (USAGE, "nonsense"), (MISSING, "extract 00000000 x"))


def check_it_bites(at):
    """A program with a mistake ends with 99."""
    for name, mistake in MISTAKES.items():
        source = write(at(name + ".c"), "#include <stdio.h>\n#include <stdlib.h>\n"
                                        f"int main(void) {{ {mistake}; return 0; }}\n")
        subprocess.run(["cc", "-O0", "-w", "-o", at(name), source], check=True)
        code = subprocess.run([*MEMCHECK, at(name)], check=False, stderr=subprocess.DEVNULL).returncode
        check(code == 99, f"valgrind does not see a mistake: {name}")


def check_help():
    """Of every command; what it lists is what will have been run at the end."""
    for program in ("skrynia", "skrynia-receiver", "skrynia-courier"):
        names = re.findall(r"^  ([a-z]+)  ", expected(run(program, "-h"), 0, ["-h"]).out, re.M)
        for name in names:
            expected(run(program, name, "-h"), 0, [name, "-h"])
            yield program, name


def look(store, ids):
    """What can be asked of a store and of an archive, and refused by both."""
    for words in BOTH:
        store(*words.format(**ids).split())
    for code, words in REFUSALS:
        store(*words.split(), expect=code)
    store("list", expect=WRONG_KEY, passphrase="another one")


def record(by, at):
    """Records by argument and by file, links, attachments, and what is refused."""
    person = by("add", "person", "title=Ганна", "birth_date=1983~", "contact=?refused")
    lines = "".join(json.dumps({"title": f"T{i}", "text": "суд " * 500}) + "\n" for i in range(20))
    other = by("add", "testimony", "--from", "-", stdin=lines).split()[0]
    for wrong in ("", "{", "[{}]", '{"title": 1}', '{"title": "a", "title": "b"}', "null", b'{"title": "\xff"}'):
        by("add", "person", "--from", "-", stdin=wrong, expect=REFUSED)
    by("edit", person, "notes=changed")
    by("edit", person, "--from", "-", stdin='{"notes": null, "occupation": "Librarian"}')
    by("link", person, "testifies-about", other)
    attachment = by("attach", person, write(at("photo"), os.urandom(300_000)))
    by("attach", person, write(at("empty"), ""))
    by("extract", attachment, at("out"))
    check(read(at("out")) == read(at("photo")), "the attachment changed")
    by("withdraw", by("add", "case", "title=gone"))
    return {"person": person, "attachment": attachment}


def refuse_damage(to, by, bundle, at):
    """Bits turned in the header, in the first and in the last chunk; cut, lengthened, not a bundle."""
    whole = read(bundle)
    for place in (0, 40, 65_530, 65_536, len(whole) - 1):
        bad = bytearray(whole)
        bad[place] ^= 4
        to("import", "--without-sandbox", write(at("bad"), bad), expect=REFUSED)
    for bad in (whole[:-1], whole[:65_536], whole + b"x", whole[:100], b""):
        to("import", "--without-sandbox", write(at("bad"), bad), expect=REFUSED)
        by("receive", at("bad"), expect=REFUSED)


def test(top):
    at = lambda *names: os.path.join(top, *names)
    check_it_bites(at)
    programs.wrapper = MEMCHECK
    ran = run_of(programs)
    listed = set(check_help())
    to, letter = archive(at("archive")), at("letter")
    words = to("invite", "birch", letter)
    by = device(at("store"), letter=letter, words=words)
    twin = device(at("twin"), letter=letter, words=words)
    ids = record(by, at)
    look(by, ids)

    code = by("export", at("b1"))
    courier("check", "--code", code, at("b1"))
    os.mkdir(at("card"))
    courier("copy", at("b1"), at("card"))
    courier("check", "--code", code, at("letter"), expect=REFUSED)
    refuse_damage(to, by, at("b1"), at)
    by("add", "event", "title=later")
    by("export", at("b2"))
    check(to.json("import", "--without-sandbox", at("b2"))[0]["gaps"] != [], "no gap is named")
    to("import", "--without-sandbox", at("card", "b1"))
    to("import", "--without-sandbox", at("b1"), at("b2"))
    look(to, ids)
    to("extract", ids["attachment"], at("arrived"))
    check(read(at("arrived")) == read(at("photo")), "the attachment changed on its way")

    # The second device under one invite waits, and is approved; its first bundles have keys that are spent.
    for number in range(3):
        twin("add", "person", "title=Twin")
        twin("export", at(f"twin{number}"))
    to("import", "--without-sandbox", at("twin0"), expect=REFUSED)
    os.rename(at("twin2"), at("b3"))
    to("import", "--without-sandbox", at("b3"))
    check(len(to.json("quarantine")) == 1, "the second device does not wait")
    to("quarantine")
    to("approve", "--without-sandbox", [row for row in to.json("devices") if row["state"] == "waiting"][0]["alias"])
    for words in ("devices", "devices --json", "checkpoint", "quarantine"):
        to(*words.split())
    to("receipt", "birch", at("reply"), expect=USAGE)
    to("receipt", by.json("status")["log"][:16], at("reply"))
    by("receive", at("reply"))
    check(by.json("status")["archives"][0]["exported"] == [], "not all is acknowledged")
    by("status")
    second = archive(at("second"), "Second")
    by("receive", at("letter2"), code=second("invite", "oak", at("letter2")))
    by("export", at("b4"), "--all")
    second("import", "--without-sandbox", at("b4"))
    for store in (by, to):
        store("passphrase", "--new-passphrase-fd", "0", stdin="a new passphrase\n")
        store.passphrase = "a new passphrase"
        store("verify")
    check(listed <= ran, f"not run: {listed - ran}")
    print(f"{len(listed)} commands under valgrind, nothing found")


def run_of(module):
    """Notes which commands of which programs are started."""
    ran, start = set(), module.start

    def noting(program, *args, **more):
        ran.update((program, word) for word in args)
        return start(program, *args, **more)

    module.start = noting
    return ran


main(test)
