#!/usr/bin/env python3
"""Goal of this test: the programs on a real terminal, as a documenter meets them.

In tmux: a store is made with the proposed passphrase; records are answered field by field, with required
fields left empty, choices, partial dates and the three proper non-answers; hostile text of a record never
reaches the terminal raw; a passphrase is not echoed; progress is drawn on a terminal and not in a pipe; after
Ctrl-C, Ctrl-D and Ctrl-Z in a question the store is whole and the terminal echoes again.
"""
import json
import os
import re
import subprocess

from programs import BIN, USAGE, Failure, Store, archive, check, files, main, write
from tmux import COLUMNS, Terminal

OWN = "own words that nobody reads"
HOSTILE = "Evil \x1b[31mred\x1b[0m \x1b]0;owned\x07 \x9b2J ‮reversed‬ \x08\x7f end"
LETTERS = "Янка"


def answer(t, answers):
    """Answers one question after the other: with the lines of the first key found in it, then, as long as
    that has lines, with its next (the question came again, or takes several lines), else with an empty line.
    Returns all that was asked up to the summary."""
    asked, key, left = "", None, {key: list(lines) for key, lines in answers.items()}
    for _ in range(300):
        question = t.wait(r"(> |\| |\[y/N\] |\[Y/n\] )$")
        asked += question
        if "Save this?" in question:
            check(not any(left.values()), f"never asked for: {left}\n{asked}")
            return asked
        if not left.get(key):
            key = next((key for key in left if left[key] and key in question), None)
        t.type(left[key].pop(0) if key else "")
    raise Failure(f"too many questions\n{asked}")


def make_store(t, home):
    """With the passphrase that is proposed; what does not agree is asked for again."""
    t.run("skrynia init --insecure-test-kdf")
    said = t.wait(r"New passphrase: $")
    words = re.search(r"^    ((?:[a-z]+ ){5}[a-z]+)$", said, re.M)[1]
    t.type("")
    t.wait(r"Type the proposed passphrase once: $")
    t.type(words + "x")
    check(words in t.wait(r"New passphrase: $"), "it is proposed again")
    t.type("")
    t.wait(r"Type the proposed passphrase once: $")
    t.type(words)
    said, code = t.finish()
    check(code == 0 and "safety number: " in said, f"init: {code} {said}")
    check("The passphrase still stands in this window" in said, f"init: {said}")
    by = Store("skrynia", os.path.join(home, "skrynia"), words)
    check(by.json("list") == [], "the proposed words open the store")

    # Its change; what is typed is not seen.
    t.run("skrynia passphrase")
    t.wait(r"Passphrase: $")
    t.type(words)
    for question in (r"New passphrase: $", r"Type it again: $"):
        t.wait(question)
        t.type(OWN)
    said, code = t.finish()
    check(code == 0 and "the passphrase was changed" in said, f"passphrase: {code} {said}")
    by.passphrase = OWN
    check(by.json("list") == [], "the new words open the store")
    check(OWN.encode() not in t.raw() and t.raw().count(words.encode()) == 2, "a passphrase was echoed")
    return by


def open_with(t, command):
    """Starts a command and gives the passphrase."""
    t.run(command)
    t.wait(r"Passphrase: $")
    t.type(OWN)


def second_round(t, by):
    """A text ends with Ctrl-D; an answer that is not known is no text; what is not saved is not lost."""
    open_with(t, "skrynia add testimony")
    t.wait(r"Title \(required\)(.|\n)*> $")
    t.type("?claer")
    said = t.wait(r"> $")
    check("no such answer" in said and "?clear" in said and "??text" in said, f"?claer: {said}")
    t.type("??What happened")
    while not t.wait(r"(> |\[y/N\] )$").endswith("(ends with a line of a single dot, or Ctrl-D) > "):
        t.type("")
    t.type("First line")
    t.wait(r"\| $")
    t.type("?second")
    t.wait(r"\| $")
    t.press("C-d")
    t.wait(r"> $")
    t.type("?done")
    t.wait(r"Save this\? \[Y/n\] $")
    t.type("n")
    t.wait(r"Throw away what was typed\? \[y/N\] $")
    t.type("")
    check("now: ?What happened" in t.wait(r"> $"), "it is asked once more, with what was typed")
    t.type("Interview")
    t.wait(r"> $")
    t.type("?done")
    t.wait(r"Save this\? \[Y/n\] $")
    t.type("")
    said, code = t.finish()
    made = re.search(r"^([0-9a-f]{32})$", said, re.M)
    check(code == 0 and made, f"add: {code} {said}")
    check(by.json("show", made[1])["fields"] == {"title": "Interview", "text": "First line\n?second"},
          f"{by.json('show', made[1])['fields']}")


def stand_in(t, by):
    """A person needs a title or a name, and either can be given after ?done."""
    open_with(t, "skrynia add person")
    t.wait(r"Title \(required\)(.|\n)*> $")
    t.type("?done")
    t.wait(r"Title \(required\)(.|\n)*> $")
    t.type("")
    t.wait(r"Name - (.|\n)*> $")
    t.type("Adam")
    t.wait(r"Save this\? \[Y/n\] $")
    t.type("")
    said, code = t.finish()
    check(code == 0 and by.json("list")[0]["title"] == "Adam", f"add: {code} {said}")


def record(t, by):
    """Two records, answered like a person would."""
    open_with(t, "skrynia add person")
    asked = answer(t, {
        "Title (required)": ["Witness", ],
        "Name - As": ["?", f"{LETTERS} Выдуманы"],
        "Roles [": ["2, 9", "2, 1"],
        "Date of birth": ["2024-13", "1988-02~"],
        "Sex [": ["5", "1"],
        "Citizenship": ["?refused"],
        "Home region": ["?unknown"],
        "Occupation": ["?not asked"],
        "Posts held": ["y"], "Body or unit": ["School"], "Position": ["Teacher"],
        "Health": ["y"], "Illnesses": ["Asthma"],
        "Notes": ["First line", "second line", "."],
    })
    for words in ("?refused         the person refused to say", "not a date: write 2024",
                  "give a number from 1 to 3",
                  "give numbers from 1 to 7, with commas between them",
                  "Posts held: add another?", "Person\n"):
        check(words in asked, f"{words!r} is not in\n{asked}")
    t.type("y")
    said, code = t.finish()
    person = re.search(r"^([0-9a-f]{32})$", said, re.M)[1]
    check(code == 0, f"add: {said}")
    check(by.json("show", person)["fields"] == {
        "title": "Witness", "name": f"{LETTERS} Выдуманы", "roles": ["witness", "victim"],
        "birth_date": "1988-02~", "sex": "female", "citizenship": {"missing": "refused"},
        "region": {"missing": "unknown"}, "occupation": {"missing": "not asked"},
        "posts": [{"body": "School", "position": "Teacher"}], "health": {"conditions": "Asthma"},
        "notes": "First line\nsecond line"}, f"{by.json('show', person)['fields']}")

    # A required field is asked for until it is answered; ?done passes over the rest.
    open_with(t, "skrynia add testimony")
    t.wait(r"Title \(required\)(.|\n)*> $")
    t.type("")
    check("This has to be filled in" in t.wait(r"> $"), "an empty title is taken")
    t.type("?done")
    check("title" in t.wait(r"> $").lower(), "?done passes over the title")
    t.type("Interview")
    said = t.wait(r"Save this\? \[Y/n\] $")
    t.type("n")
    t.wait(r"Throw away what was typed\? \[y/N\] $")
    t.type("y")
    said, code = t.finish()
    check(code == 1 and "cancelled. Nothing was saved." in said, f"not to save: {code} {said}")
    check(len(by.json("list")) == 1, "it was saved nevertheless")
    second_round(t, by)
    stand_in(t, by)

    # Text of records is refused as an argument where a shell keeps a history.
    for command in ("add person title=x", f"edit {person} title=x", "search x"):
        t.run(f"skrynia {command}")
        said, code = t.finish()
        check(code == USAGE and "never taken from arguments" in said, f"{command}: {code} {said}")
    open_with(t, "skrynia search")
    t.wait(r"Search for: $")
    t.type(LETTERS.upper())
    said, code = t.finish()
    check(code == 0 and person in said, f"search: {said}")
    return person


def hostile(t, by, top):
    """Each command that shows what a record says, and the questions of edit and withdraw."""
    to = archive(os.path.join(top, "archive"), "Archive", passphrase=OWN)
    words = to("invite", "birch", os.path.join(top, "letter"))
    by("receive", os.path.join(top, "letter"), code=words)
    fields = {"title": HOSTILE, "name": HOSTILE, "notes": HOSTILE + "\n" + HOSTILE, "posts": [{"body": HOSTILE}]}
    person = by("add", "person", "--from", "-", stdin=json.dumps(fields))
    by("edit", person, "occupation=x")
    attachment = by("attach", person, write(os.path.join(top, "\x1b[31m‮.txt"), "x"))
    by("export", os.path.join(top, "bundle"))
    to("import", os.path.join(top, "bundle"))
    line = write(os.path.join(top, "line"), OWN + "\n")
    before = len(t.raw())
    for command in (f"show {person}", "list", "list person", f"history {person}", "verify", "status",
                    f"show {attachment}"):
        for program in ("skrynia", f"skrynia-receiver --archive {to.folder}"):
            t.run(f"{program} --passphrase-fd 3 {command} 3<{line}")
            said, code = t.finish()
            check("Evil" not in command or code == 0, f"{command}: {said}")
    open_with(t, f"skrynia edit {person}")
    asked = answer(t, {"Name": [""]})
    check("now: Evil <U+001B>[31mred" in asked, f"edit shows {asked}")
    t.type("y")
    said, code = t.finish()
    check(code == 0 and "nothing was changed" in said, f"edit: {said}")
    open_with(t, f"skrynia withdraw {person}")
    check("Evil <U+001B>" in t.wait(r"Type withdraw to go on: $"), "withdraw names the record")
    t.type("no")
    said, code = t.finish()
    check(code == 1 and "cancelled" in said, f"withdraw: {said}")
    raw = t.raw()[before:]
    check(raw.count(b"<U+001B>") > 20, "the hostile record was shown")
    for bad in (b"\x1b[31", b"\x1b]", b"\x07", "\x9b".encode(), "‮".encode(), b"\x08", b"\x7f"):
        check(bad not in raw, f"{bad} reached the terminal")
    check("\x1b[31m" not in t.screen() and "owned" not in t.tmux("display-message", "-p", "#T").decode(),
          "the terminal took an escape sequence")

    # Rows of a list fit the terminal.
    by("add", "person", "title=" + "шырокі " * 40)
    t.run(f"skrynia --passphrase-fd 3 list 3<{line}")
    rows = [row for row in t.finish()[0].split("\n") if re.match(r"[0-9a-f]{32} ", row)]
    check(len(rows) >= 3 and all(len(row) <= COLUMNS for row in rows), f"rows are too long: {rows}")

    open_with(t, f"skrynia withdraw {person}")
    t.wait(r"Type withdraw to go on: $")
    t.type("withdraw")
    said, code = t.finish()
    check(code == 0 and "withdrawn and erased here" in said, f"withdraw: {said}")


def echoes(t):
    """The terminal shows again what is typed."""
    t.type("stty -a | tr ' ' '\\n' | grep -x -e echo -e icanon")
    t.wait(r"\nicanon\necho\n\$ $")
    t.type(": seen")
    t.wait(r": seen\n\$ $")


def broken_off(t, key, code):
    """Presses a key in a question; the program says so and ends with that code."""
    t.press(key)
    said = t.wait(r"\n\$ $")
    check("Nothing was saved." in said, f"after {key}: {said}")
    # In a line of its own: what stands behind a command that a signal has ended is not run.
    t.run("(exit $?)")
    check(t.finish()[1] == code, f"the exit code after {key}")
    echoes(t)


def interrupted(t, by):
    """Ctrl-C, Ctrl-D and Ctrl-Z at a passphrase and in the middle of a record."""
    whole = files(by.folder)
    for key, code in (("C-c", 130), ("C-d", 1), ("C-\\", 131)):
        t.type("skrynia list")
        t.wait(r"Passphrase: $")
        broken_off(t, key, code)
        t.type("skrynia add person")
        t.wait(r"Passphrase: $")
        t.type(OWN)
        t.wait(r"Title \(required\)(.|\n)*> $")
        t.type("Never saved")
        t.wait(r"> $")
        broken_off(t, key, code)
        check(files(by.folder) == whole, f"{key} changed the store")
    check(by.json("verify")["ok"] and b"Never saved" not in b"".join(
        open(os.path.join(place, name), "rb").read() for place, _, names in os.walk(by.folder)
        for name in names), "the store is not whole")

    # Stopped and taken up again: the shell can be used in between, and the question comes again.
    t.type("skrynia list")
    t.wait(r"Passphrase: $")
    t.press("C-z")
    t.wait(r"Stopped(.|\n)*\$ $")
    echoes(t)
    t.type("fg; echo ended:$?")
    t.wait(r"Passphrase: $")
    t.type(OWN)
    said, code = t.finish()
    check(code == 0 and OWN not in said, f"after fg: {said}")


def progress(t, top):
    """A large file without blocks takes long enough for a bar."""
    large = os.path.join(top, "large")
    with open(large, "wb") as file:
        file.truncate(3_000_000_000)
    command = ["skrynia-courier", "check", "--code", "00000 " * 6, large]
    t.run(" ".join([*command[:3], f"'{command[3]}'", large]))
    said, _ = t.finish()
    check(re.search(r"checking \[#* *\] +\d+%", said), f"no progress: {said}")
    check("checking [" not in t.screen(), "the bar was left behind")
    piped = subprocess.run([os.path.join(BIN, command[0]), *command[1:]], check=False, capture_output=True)
    check(b"[" not in piped.stderr and b"\r" not in piped.stderr and b"[" not in piped.stdout,
          f"progress in a pipe: {piped.stderr}")
    os.unlink(large)


def test(top):
    home = os.path.join(top, "home")
    os.mkdir(home)
    with Terminal(top, home) as t:
        by = make_store(t, home)
        record(t, by)
        hostile(t, by, top)
        interrupted(t, by)
        progress(t, top)
        check(OWN.encode() not in t.raw(), "a passphrase was echoed")
    check(sorted(os.listdir(home)) == ["skrynia"], f"left in the home: {os.listdir(home)}")


main(test)
