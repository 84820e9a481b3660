#!/usr/bin/env python3
"""Goal of this test: what scripts rely on: help, exit codes, standard output and error, and JSON.

Every command of the three programs, as its own help lists them: with -h, with nothing, with an option that
is not there, with too much; missing and impossible inputs and outputs; JSON that has the promised names;
results on standard output and messages on standard error; a standard output that is full, closed or gone;
files that are the owner's alone, and folders that are closed to the owner too; a hostile file name that
does not reach the terminal raw.
"""
import ctypes
import json
import os
import re
import resource
import subprocess

from programs import (BIN, CONFIG, CREATE, IO, MISSING, REFUSED, USAGE, Store, archive, check, courier, device,
                      expected, files, main, read, run, write)

PROGRAMS = ("skrynia", "skrynia-receiver", "skrynia-courier")
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2  # linux/prctl.h, linux/capability.h
NOTHING = "0" * 32  # the id of nothing


def commands(program):
    """The names that the program's help lists."""
    names = re.findall(r"^  ([a-z]+)  ", expected(run(program, "-h"), 0, ["-h"]).out, re.M)
    check(len(names) > 1, f"{program} -h lists no commands")
    return names


def check_help(at):
    """Without a store, and without making one."""
    for program in PROGRAMS:
        for args in ([], ["nonsense"], ["--nonsense"], ["list", "--store"], ["--wait=x", "list"]):
            ran = expected(run(program, *args), USAGE, args)
            check(ran.out == "" and ran.err != "", f"{program} {args}: {ran.out}{ran.err}")
        for name in commands(program):
            for args in (["-h"], ["--help"], ["-h", "--nonsense", "a", "b", "c"]):
                ran = expected(run(program, name, *args), 0, [name, *args])
                check(ran.out.startswith(f"usage: {program} [OPTION ...] {name}") and ran.err == "",
                      f"{program} {name} {args}: {ran.out}{ran.err}")
            ran = run(program, "--no-input", name)
            check(ran.code in (USAGE, MISSING) and ran.out == "", f"{program} {name}: {ran.code}")
            hint = f"'{program} {name} -h' explains it." if ran.code == USAGE else "there is no store here"
            check(hint in ran.err, f"{program} {name}: {ran.err}")
            for args in ([name, "--nonsense"], [name, "--nonsense=secret"]):
                ran = expected(run(program, *args), USAGE, args)
                check(f"{name} has no option --nonsense." in ran.err and ran.out == "",
                      f"{program} {args}: {ran.err}")
        check(re.fullmatch(program + r" \d+\.\d+\.\d+\n", run(program, "--version").out), "--version")
    check(files(at("home")) == {}, "help or wrong use made a file")


def check_narrow():
    """Help fits a screen of 80 columns, and its first lines name each option once."""
    for program in PROGRAMS:
        for args in [[], *([name] for name in commands(program))]:
            text = run(program, *args, "-h").out
            check(all(len(line) < 80 for line in text.split("\n")), f"{program} {args}: {text}")
            options = re.findall(r"--[a-z-]+", text.split("\n\n")[0])
            check(len(options) == len(set(options)), f"{program} {args}: {text}")
    usage = run("skrynia-receiver", "init", "-h").out
    check("init --name NAME [--insecure-test-kdf]" in usage, f"what has to be said: {usage}")


def check_empty(at):
    """What is empty says so, and what fills it."""
    to, by = archive(at("empty archive")), device(at("empty store"))
    for store, words, *args in (
            (by, "nothing is recorded yet", "list"), (to, "nothing is recorded of this type", "list", "case"),
            (by, "nothing found", "search", "x"), (by, "'receive FILE' takes an invite", "status"),
            (to, "'invite ALIAS FILE' invites one", "devices"), (to, "nothing is in quarantine", "quarantine")):
        ran = expected(store.run(*args), 0, args)
        check(words in ran.err and (ran.out == "" or args == ["status"]), f"{args}: {ran.out}{ran.err}")
        if args != ["status"]:
            check(store.json(*args) == [], f"{args} --json")
    ran = expected(by.run("export", at("never")), CONFIG, ["export"])
    check("ask one for an invite" in ran.err, ran.err)
    ran = expected(device(at("invited store"), to).run("export", at("never")), 0, ["export"])
    check("nothing is recorded yet" in ran.err, ran.err)
    by("withdraw", by("add", "person", "title=Birch").strip())
    for args, words in ((["list"], "nothing is here to list"), (["list", "case"], "nothing of this type is here")):
        ran = expected(by.run(*args), 0, args)
        check(words in ran.err and "withdrawn records are not listed" in ran.err, f"{args}: {ran.err}")
    for store in to, by:
        args = ["init", "--insecure-test-kdf", *(["--name", "A"] if store is to else [])]
        ran = expected(store.run(*args), CREATE, args)
        check(f"say '{store.program} {store.option} NEWDIR init ...'" in ran.err, ran.err)
        nowhere = Store(store.program, at("nowhere/store"))
        ran = expected(nowhere.run(*args), CREATE, args)
        check(at("nowhere") + ": there is no such folder" in ran.err, ran.err)


class Scene:
    """A store with one record, attachment and link, and an archive that has them."""

    def __init__(self, at):
        self.to = archive(at("archive"))
        self.by = device(at("store"), self.to)
        self.person = self.by("add", "person", "title=One", "name=Ганна")
        self.case = self.by("add", "case", "title=Two")
        self.link = self.by("link", self.person, "accused-in", self.case)
        self.given = write(at("given"), "bytes of an attachment")
        self.attachment = self.by("attach", self.person, self.given)
        self.code = self.by("export", at("bundle"))
        self.to("import", at("bundle"))


def check_exit_codes(scene, at):
    """Inputs that are not there, outputs that cannot be made, values that are refused."""
    by, to, person = scene.by, scene.to, scene.person
    nothing, folder, inside = at("nothing"), at("home"), os.path.join(scene.given, "x")
    before = files(by.folder), files(to.folder)
    for code, store, *args in (
            (MISSING, by, "add", "person", "--from", nothing), (MISSING, by, "edit", person, "--from", nothing),
            (MISSING, by, "attach", person, nothing), (MISSING, by, "receive", nothing),
            (MISSING, by, "show", NOTHING), (MISSING, by, "history", NOTHING), (MISSING, by, "withdraw", NOTHING),
            (MISSING, by, "extract", NOTHING, at("out")), (MISSING, by, "attach", NOTHING, scene.given),
            (MISSING, by, "link", person, "same-as", NOTHING), (MISSING, to, "show", NOTHING),
            (MISSING, to, "import", nothing), (MISSING, to, "approve", "nobody"),
            (MISSING, to, "receipt", "nobody", at("out")), (MISSING, to, "checkpoint", "nobody"),
            (USAGE, by, "show", "12"), (USAGE, by, "show", "nothex"), (USAGE, by, "list", "dog"),
            (USAGE, by, "add", "dog"), (USAGE, by, "add", "person", "title"), (USAGE, by, "search"),
            (USAGE, by, "add", "person", "nosuch=1"), (USAGE, by, "edit", person, "nosuch=1"),
            (USAGE, by, "link", person, "No Role", scene.case), (USAGE, by, "export", at("out"), "--since", "x"),
            (USAGE, by, "export", at("out"), "--since", "99"), (USAGE, by, "list", "--store", folder),
            (USAGE, by, "export", at("out"), "--all", "--since", "1"), (USAGE, by, "list", "--all"),
            (USAGE, to, "invite", "", at("out")), (USAGE, to, "invite", "\x1b[31m", at("out")),
            (USAGE, to, "checkpoint", "--since", "1"), (USAGE, to, "checkpoint", "birch", "--since", "99"),
            (REFUSED, by, "add", "person", "title="), (REFUSED, by, "add", "person", "birth_date=2024-02-30"),
            (REFUSED, by, "add", "person", "sex=dog", "title=x"), (REFUSED, by, "edit", scene.link, "title=x"),
            (REFUSED, by, "add", "person", "--from", scene.given), (REFUSED, by, "receive", scene.given),
            (REFUSED, by, "extract", person, at("out")), (REFUSED, by, "show", scene.attachment),
            (REFUSED, by, "link", person, "same-as", person),
            (REFUSED, to, "import", scene.given), (REFUSED, to, "invite", "birch", at("out")),
            (CREATE, by, "export", at("bundle"), "--all"), (CREATE, by, "extract", scene.attachment, scene.given),
            (CREATE, by, "extract", scene.attachment, inside), (CREATE, to, "invite", "elm", scene.given),
            (CREATE, to, "receipt", "birch", scene.given), (CREATE, by, "init"),
            (IO, by, "attach", person, folder), (IO, to, "import", folder)):
        ran = expected(store.run(*args), code, args)
        check(ran.out == "" and f"{store.program}: " in ran.err, f"{args}: {ran.out}{ran.err}")
    check((files(by.folder), files(to.folder)) == before and not os.path.exists(at("out")),
          "something that was refused changed something")

    for code, *args in ((MISSING, "check", "--code", scene.code, nothing), (USAGE, "check", scene.given),
                        (USAGE, "check", "--code", "12", scene.given), (MISSING, "copy", nothing, folder),
                        (REFUSED, "check", "--code", scene.code, scene.given, at("bundle")),
                        (CREATE, "copy", scene.given, at("")), (CREATE, "copy", scene.given, nothing)):
        ran = courier(*args, expect=code)
        check("skrynia-courier: " in ran.err, f"{args}: {ran.err}")


def check_json(scene, at):
    """Every command that prints data, with --json before and behind it."""
    item = {"id", "type", "title", "device", "rev"}
    shown = {"id", "type", "rev", "device", "position", "recorded", "fields", "links", "attachments"}
    taken = {"file", "device", "bundle", "new", "known", "quarantined", "gaps", "fork", "error"}
    scene.to("receipt", "birch", at("receipt"))
    both = [("list", item), ("list person", item), ("search ганна", item), (f"show {scene.person}", shown),
            (f"history {scene.person}", {"rev", "position", "recorded", "device", "fields"}),
            ("verify", {"ok", "problems"})]
    for store, cases in ((scene.by, [("status", {"log", "safety_number", "size", "archives"}),
                                     (f"receive {at('receipt')}", {"archive", "receipt"})]),
                         (scene.to, [("devices", {"alias", "log", "safety_number", "size", "state"}),
                                     (f"import {at('bundle')} {at('nothing')}", taken), ("quarantine", None)])):
        for words, names in both + cases:
            behind = store.run(*words.split(), "--json")
            before = store.run("--json", *words.split())
            told = json.loads(behind.out)
            check(json.loads(before.out).__class__ is told.__class__, f"--json {words}: {before.out}")
            rows = told if isinstance(told, list) else [told]
            check(names is None or (rows and all(set(row) >= names for row in rows)), f"{words}: {told}")
            check("\n\n" not in behind.out and behind.out.endswith("\n"), f"{words}: lines")
    told = json.loads(courier("--json", "check", "--code", scene.code, at("bundle")).out)
    check(told == [{"file": at("bundle"), "match": True, "error": None}], f"check tells {told}")
    status = scene.by.json("status")["archives"][0]
    check(set(status) == {"name", "acknowledged", "exported", "unexported", "wanted"}, f"{status}")
    check(scene.by.json("show", scene.person)["attachments"][0].keys() == {"id", "name", "size", "sha256"} and
          scene.by.json("show", scene.person)["links"] == [{"role": "accused-in", "id": scene.case}], "show")


def check_streams(scene, at):
    """A result that cannot be written is an error; what was saved before is not lost."""
    by, to = scene.by, scene.to
    with open("/dev/full", "wb") as full:
        for store, *args in ((by, "list"), (by, "show", scene.person), (by, "status"), (by, "verify"),
                             (by, "add", "person", "title=Saved"), (by, "export", at("full")), (to, "devices"),
                             (to, "import", at("bundle")), (to, "invite", "full", at("invite")),
                             (to, "receipt", "birch", at("full receipt")), (to, "list", "--json")):
            ran = expected(store.run(*args, stdout=full), IO, args)
            check("standard output could not be written: No space left" in ran.err, f"{args}: {ran.err}")
        expected(run("skrynia", "-h", stdout=full), IO, ["-h"])
        expected(run("skrynia-courier", "copy", scene.given, at("home"), stdout=full), IO, ["copy"])
        os.unlink(at("home", "given"))
    check([row["title"] for row in by.json("list")][0] == "Saved", "what was saved is there")
    check(to.json("import", at("full"))[0]["new"] == 1, "and what was exported")

    # A descriptor that is no input: nothing is waited for, nothing is read without an end.
    os.mkfifo(at("pipe"))
    for path in (at("pipe"), "/dev/zero"):
        for store, *args in ((by, "attach", scene.person, path), (by, "receive", path), (to, "import", path)):
            expected(store.run(*args), REFUSED, args)
        courier("copy", path, at("home"), expect=REFUSED)
    os.unlink(at("pipe"))

    # A reader that goes away ends nothing by a signal.
    source, gone = os.pipe()
    os.close(source)
    expected(by.run("list", stdout=gone), IO, ["list"])
    os.close(gone)

    # Closed descriptors: no file of the store may become one of them.
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        command = [os.path.join(BIN, "skrynia"), "--store", by.folder, "--passphrase-fd", "9", "--no-input"]
        for args in (["add", "person", f"title={closed}"], ["list"], ["attach", scene.person, scene.given]):
            code = subprocess.run(["sh", "-c", f'"$@" 9<"$PASSPHRASE" {closed}', "sh", *command, *args],
                                  env={**os.environ, "PASSPHRASE": write(at("line"), by.passphrase + "\n")},
                                  check=False, capture_output=True).returncode
            check(code == (IO if ">&-" in closed.replace("2>&-", "") else 0), f"{args} {closed}: exit code {code}")
    check(by.json("verify")["ok"] and len(by.json("list")) == 7, "they were saved")


def check_files(scene, at):
    """The owner's alone whatever the umask; nothing is left when a file cannot be written."""
    by, to = scene.by, scene.to
    os.umask(0)
    open_to = archive(at("open archive"))
    open_by = device(at("open store"), open_to)
    person = open_by("add", "person", "title=x")
    attachment = open_by("attach", person, write(at("big"), os.urandom(1_000_000)))
    open_by("export", at("open bundle"))
    open_by("extract", attachment, at("open copy"))
    for place, folders, names in os.walk(at("")):
        for name in folders + names:
            path = os.path.join(place, name)
            check("open" not in path or os.stat(path).st_mode & 0o077 == 0, f"{path} is open to others")
    os.umask(0o022)

    before = files(at(""))

    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    for store, *args in ((open_by, "export", at("small"), "--all"), (open_by, "extract", attachment, at("small")),
                         (open_by, "attach", person, at("big")), (open_to, "import", at("open bundle"))):
        ran = store.run(*args, preexec_fn=small)
        check(ran.code == IO and "File too large" in ran.err, f"{args}: {ran.code} {ran.err}")
    after = files(at(""))
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    check(changed <= {"open store/data", "open archive/data"}, f"left behind or changed: {changed}")
    check(open_to.json("import", at("open bundle"))[0]["new"] == 2, "afterwards it is taken in")
    check(by.json("verify")["ok"] and to.json("verify")["ok"] and open_by.json("verify")["ok"], "verify")


def no_override():
    """Takes from a process of root's what lets it pass by the permissions of files."""
    if os.getuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            check(ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0, "prctl")


def check_permissions(scene, at):
    """A store that may not be looked into, or not be written, says so, and is as it was afterwards."""
    by = scene.by
    before, data = files(by.folder), os.path.join(by.folder, "data")
    for path, mode, code, words in ((by.folder, 0o500, 0, "can only be read"),
                                    (data, 0o400, 0, "can only be read"),
                                    (os.path.join(by.folder, "keys"), 0, IO, "Permission denied"),
                                    (by.folder, 0, IO, "Permission denied")):
        kept = os.stat(path).st_mode
        os.chmod(path, mode)
        for args, expect in ((["list"], code), (["add", "person", "title=x"], IO)):
            ran = by.run(*args, preexec_fn=no_override)
            check(ran.code == expect and words in ran.err and "init" not in ran.err, f"{path}: {ran.code} {ran.err}")
        os.chmod(path, kept)
    check(files(by.folder) == before and by.json("verify")["ok"], "and then it is as it was")


def check_names(scene, at):
    """Names of files with control characters, spaces, a leading hyphen."""
    hostile = at("\x1b[31m‮\nname")
    by = scene.by
    for args in (["attach", scene.person, hostile], ["export", os.path.join(hostile, "x")], ["receive", hostile],
                 [hostile], ["add", hostile], ["list", "--" + hostile], ["show", hostile]):
        ran = by.run(*args)
        check(ran.code != 0 and "\x1b" not in ran.err and "‮" not in ran.err, f"{args}: {ran.err!r}")
    write(hostile, "x")
    attachment = by("attach", scene.person, hostile)
    check(by.json("show", scene.person)["attachments"][-1]["name"] == os.path.basename(hostile), "the name")
    ran = by.run("show", scene.person)
    check("<U+001B>" in ran.out and "\x1b" not in ran.out and "‮" not in ran.out, f"show: {ran.out!r}")
    raw = at(b"raw\xffname".decode(errors="surrogateescape"))
    write(raw, read(at("bundle")))
    row = scene.to.json("import", raw)[0]
    check((row["file"], row["error"]) == (at("raw<0xff>name"), None), f"import --json: {row}")
    os.chdir(at("home"))
    by("export", "--all", "--", "-bundle")
    by("extract", attachment, "--", "--help")
    check(sorted(os.listdir(".")) == ["--help", "-bundle"] and read("--help") == b"x", "-- ends the options")


def test(top):
    at = lambda *names: os.path.join(top, *names)
    os.mkdir(at("home"))
    os.environ["HOME"] = at("home")
    check_help(at)
    check_narrow()
    check_empty(at)
    scene = Scene(at)
    check_exit_codes(scene, at)
    check_json(scene, at)
    check_streams(scene, at)
    check_files(scene, at)
    check_permissions(scene, at)
    check_names(scene, at)


main(test)
