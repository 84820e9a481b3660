"""Goal of this test: what is carried by hand is synced under another name, named, its folder synced, dropped
from the system's memory and only then read back; where it may have come from that memory, this is told; a
folder that cannot be synced, as on some sticks, is no failure, and one that fails to is.

strace shows the calls, and lets them fail. Without it, or where it may not trace, nothing is tested.
"""
import os
import re

import programs
from programs import IO, archive, can_trace, check, courier, device, main, run

CALLS = "fsync,rename,renameat2,linkat,openat,fadvise64,read,pread64"
MEMORY = "maybe from the memory of this machine"


def traced(options, call):
    """Runs a command under strace."""
    programs.wrapper = ["strace", "-f", "-qq", *options]
    try:
        return call()
    finally:
        programs.wrapper = []


def check_order(log, target):
    """The calls on a file and its folder, in the order that makes it safe."""
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    folder, name = re.escape(os.path.dirname(target)), re.escape(target)
    at = 0
    # Until it is named it has a temporary name, or none where the file system has such files.
    for what in (rf"fsync\(\d+<{folder}/(\.[0-9a-f]{{16}}\.part|#\d+)", rf'(rename|link).*"{name}"', rf"fsync\(\d+<{folder}>\)",
                 rf'openat\(.*"{name}", O_RDONLY', rf"fadvise64\(\d+<{name}>, 0, 0, POSIX_FADV_DONTNEED\) = 0",
                 rf"(read|pread64)\(\d+<{name}>, .* = [1-9]"):
        found = next((i for i in range(at, len(lines)) if re.search(what, lines[i])), None)
        check(found is not None, f"after line {at} there is no {what}")
        at = found + 1
    check(not any(re.search(rf"read.*<{name}>", line) for line in lines[:at - 1]), "it is read before that")


def order(by, to, at):
    """Everything that is written to a stick."""
    log, files = at("log"), []
    for name, call in (
            ("bundle", lambda path: by("export", "--all", path)),
            ("copies/bundle", lambda path: courier("copy", at("stick/bundle"), os.path.dirname(path))),
            ("receipt", lambda path: to("receipt", "birch", path)),
            ("invite", lambda path: to("invite", "heron", path)),
            ("backup", lambda path: by("backup", path))):
        files.append(at("stick/" + name))
        traced(["-y", "-e", f"trace={CALLS}", "-o", log], lambda call=call: call(files[-1]))
        check_order(log, files[-1])
        if name == "bundle":
            to("import", files[-1])


def memory(by, at):
    """Where the system does not say that its own copy is gone."""
    stays = ["-o", "/dev/null", "-e", "trace=fadvise64", "-e", "inject=fadvise64:error=EOPNOTSUPP"]
    ran = traced(stays, lambda: by.run("export", "--all", at("stick/kept")))
    check(ran.code == 0 and MEMORY in ran.err, f"export: {ran.code} {ran.err}")
    ran = traced(stays, lambda: run("skrynia-courier", "copy", at("stick/kept"), at("stick/copies")))
    check(ran.code == 0 and MEMORY in ran.err, f"copy: {ran.code} {ran.err}")


def folders(by, at):
    """A folder that cannot be synced, and one that fails to be."""
    for error, code in (("EINVAL", 0), ("EIO", IO)):
        by("add", "person", f"title={error}")
        before = by.json("status")["archives"]
        target = at("stick/" + error)
        ran = traced(["-o", "/dev/null", "-P", at("stick"), "-e", "trace=fsync", "-e", f"inject=fsync:error={error}"],
                     lambda: by.run("export", target))
        check(ran.code == code, f"{error}: {ran.code} {ran.err}")
        check(os.path.exists(target) == (code == 0), f"{error}: whether there is a file")
        sent = by.json("status")["archives"][0]["unexported"] == []
        check(sent == (code == 0), f"{error}: what counts as sent, before {before}")


def test(top):
    if not can_trace():
        print("strace may not trace here: nothing was tested")
        return
    # LeakSanitizer does not work under strace.
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    at = lambda name: os.path.join(os.path.realpath(top), name)
    os.makedirs(at("stick/copies"))
    to = archive(at("archive"))
    by = device(at("store"), to)
    by("add", "person", "title=Birch")
    order(by, to, at)
    memory(by, at)
    folders(by, at)
    check(by.json("verify")["ok"] and to.json("verify")["ok"], "verify")


main(test)
