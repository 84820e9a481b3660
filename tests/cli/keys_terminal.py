"""Goal of this test: slots and new keys on a real terminal, as a person meets them.

In tmux: recovery words are shown, have to be typed back from the paper before the slot is written, and are not
written when that is broken off; a slip in them is named; typed at the prompt for the passphrase they open the
store without an echo; removing a slot and dropping others with new keys are asked about, and "no" changes
nothing; a large store shows progress, and Ctrl-C in the middle of it loses nothing.
"""
import os
import re

from programs import Store, check, files, main, write
from tmux import Terminal

OWN = "own words that nobody reads"


def open_with(t, command, line=OWN):
    """Starts a command and answers the prompt for the passphrase."""
    t.run(f"skrynia {command}")
    t.wait(r"Passphrase: $")
    t.type(line)


def words_on(screen):
    """The twelve words that are shown with their numbers."""
    found = re.findall(r"(\d+)\. ([a-z]{4})", screen)[-12:]
    check([int(number) for number, _ in found] == list(range(1, 13)), f"no twelve words:\n{screen}")
    return [word for _, word in found]


ASK = r"Type the twelve words from the paper: $"


def recovery(t, by):
    """Returns the words. They are typed wrongly in each way first."""
    open_with(t, "slot add --recovery")
    said = t.wait(ASK)
    words = words_on(said)
    check("without the passphrase and without a key" in said and "not shown again" in said, said)
    check(all(len(line) < 80 for line in said.split("\n")), f"broken for a wide screen alone: {said}")
    whole = files(by.folder)
    other = "baba" if words[6] != "baba" else "bebe"
    for typed, said in ((" ".join([*words[:6], "xxxx", *words[7:]]), "Word 7 is not one of the list"),
                        (" ".join([*words[:6], other, *words[7:]]), "Word 7 is another one"),
                        (" ".join(words[1:]), "not twelve words"), ("", "not twelve words"),
                        ("something else", "not twelve words")):
        t.type(typed)
        again = t.wait(ASK)
        check(said in again and words_on(again) == words, f"after {typed!r}: {again}")
        check(files(by.folder) == whole, "the slot was written before the words were")
    t.type(", ".join(words).upper())
    said, code = t.finish()
    check(code == 0 and "slot 2 was added" in said and "close it" in said, f"slot add: {code} {said}")
    check(not any(re.search(r"^[a-z]{4} [a-z]{4} ", line) for line in said.split("\n")),
          "the words were printed as the result as well")
    return words


def broken_off(t, by):
    """Ctrl-C and Ctrl-D instead of the words."""
    whole = files(by.folder)
    for key, expected in (("C-c", 130), ("C-d", 1)):
        t.type("skrynia slot add --recovery")
        t.wait(r"Passphrase: $")
        t.type(OWN)
        t.wait(ASK)
        t.press(key)
        check("Nothing was saved." in t.wait(r"\n\$ $"), f"after {key}")
        t.run("(exit $?)")
        check(t.finish()[1] == expected, f"the exit code after {key}")
        check(files(by.folder) == whole, f"{key} changed the store")


def opened(t, words):
    """By words, in another case and spacing, without an echo."""
    before = len(t.raw())
    open_with(t, "slot", "  ".join(words).title())
    said, code = t.finish()
    check(code == 0 and "2  recovery words (opened the store now)" in said, f"slot: {code} {said}")
    check(words[0].title().encode() not in t.raw()[before:], "the words were echoed")
    open_with(t, "slot", " ".join(["xxxx", *words[1:]]))
    said, code = t.finish()
    check(code == 77 and "word 1 is not one of the list" in said, f"slot: {code} {said}")


def forgotten(t, words):
    """A new passphrase by the words; a weak one is warned about and taken."""
    open_with(t, "passphrase", " ".join(words))
    for question, line in ((r"New passphrase: $", "password2020"), (r"Type it again: $", "password2020")):
        t.wait(question)
        t.type(line)
    said, code = t.finish()
    check(code == 0 and "tried first" in said and "recovery words stay" in said, f"passphrase: {code} {said}")
    open_with(t, "passphrase", "password2020")
    for question in (r"New passphrase: $", r"Type it again: $"):
        t.wait(question)
        t.type(OWN)
    said, code = t.finish()
    check(code == 0 and "warning: this passphrase" not in said, f"passphrase: {code} {said}")


def asked(t, by):
    """Before a slot goes, and before new keys drop one."""
    whole = files(by.folder)
    for command, question in (("slot remove 2", r"Slot 2 \(recovery words\)(.|\n)*Remove it\? \[y/N\] $"),
                              ("rekey", r"slot 2 \(recovery words\)(.|\n)*Go on\? \[y/N\] $")):
        for answer in ("n", ""):
            open_with(t, command)
            t.wait(question)
            t.type(answer)
            said, code = t.finish()
            check(code == 1 and "cancelled" in said, f"{command}: {code} {said}")
    check(files(by.folder) == whole, "no is not no")
    open_with(t, "slot remove 1")
    said, code = t.finish()
    check(code == 65 and "is the one that opened" in said, f"slot remove 1: {code} {said}")


def interrupted(t, by, top):
    """New keys for a store that takes a while: progress, Ctrl-C, and once more."""
    record = by("add", "event", "title=Large")
    for _ in range(6):
        with open(os.path.join(top, "large"), "wb") as file:
            file.truncate(50_000_000)
        by("attach", record, os.path.join(top, "large"))
    dump = by.dump()
    t.type("skrynia rekey")
    t.wait(r"Passphrase: $")
    t.type(OWN)
    t.wait(r"Go on\? \[y/N\] $")
    t.type("y")
    # A machine that is done before a bar would be drawn has nothing that could be broken off.
    if "%" in t.wait(r"(new keys \[#* *\] +\d+%|\n\$ $)"):
        t.press("C-c")
        t.wait(r"\n?\$ $")
    check(by.json("verify")["ok"] and by.dump() == dump, "Ctrl-C lost something")
    open_with(t, "rekey")
    said = t.wait(r"(Go on\? \[y/N\] $|ended:\d+)")
    if "Go on" in said:
        t.type("y")
        said, code = t.finish()
        check(code == 0, f"rekey: {code} {said}")
    check(by.dump() == dump, "new keys changed what it holds")


def test(top):
    home = os.path.join(top, "home")
    os.mkdir(home)
    by = Store("skrynia", os.path.join(home, "skrynia"), OWN)
    by("init", "--insecure-test-kdf")
    write(os.path.join(top, "line"), OWN + "\n")
    with Terminal(top, home) as t:
        words = recovery(t, by)
        broken_off(t, by)
        opened(t, words)
        forgotten(t, words)
        asked(t, by)
        interrupted(t, by, top)
        check(OWN.encode() not in t.raw(), "a passphrase was echoed")


main(test)
