"""Goal of this test: where a system call fails, each command tells what is so: what was saved, what was not,
and what to do next; and doing that is what helps.

strace lets the calls fail. Without it, or where it may not trace, nothing is tested.
"""
import os
import subprocess

import programs
from programs import IO, archive, check, device, main, write


def can_trace():
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                              stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def failing(store, path, calls, error, *args, when="1+", **how):
    """Runs a command of which calls on one file fail."""
    programs.wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", f"trace={calls}",
                        "-e", f"inject={calls}:error={error}:when={when}"]
    try:
        return store.run(*args, **how)
    finally:
        programs.wrapper = []


def fill(store, top):
    """A record with three attachments."""
    record = store("add", "testimony", "title=With photos")
    for number in range(3):
        store("attach", record, write(os.path.join(top, f"photo{number}"), os.urandom(70_000)))
    return record


def media(store):
    return {os.path.join(store.folder, "media", name) for name in os.listdir(os.path.join(store.folder, "media"))}


def test_rekey(store):
    """A media file that does not open keeps its key until it opens, and nothing calls it damaged."""
    old = media(store)
    for error in ("EMFILE", "EIO"):
        path = sorted(old)[1]
        for _ in range(2):
            ran = failing(store, path, "openat", error, "rekey")
            check(ran.code == IO and "attachment " in ran.err and path in ran.err, f"{ran.code}: {ran.err}")
            check("1 file could not be read" in ran.err and "Run 'rekey' again" in ran.err, ran.err)
            check("damaged" not in ran.err and "verify" not in ran.err, ran.err)
            check(old & media(store) == {path}, "more than one file kept its key")
            check("1 file is still under old keys" in store.run("list").err, store.run("list").err)
        check(store.json("verify")["ok"], "it is called damaged")
        ran = store.run("rekey")
        check(ran.code == 0 and "is complete" in ran.err, f"{ran.code}: {ran.err}")
        check(not old & media(store) and "old keys" not in store.run("list").err, "a file kept its key")
        check(store.json("verify")["ok"], "it does not verify")
        old = media(store)


def test_rekey_to_its_end(store):
    """What is told to do where the disk itself fails: the attachment goes, and nothing is left to do."""
    path = sorted(media(store))[0]
    ran = failing(store, path, "openat", "EIO", "rekey")
    check(ran.code == IO and "'withdraw' the attachment" in ran.err, f"{ran.code}: {ran.err}")
    store("withdraw", ran.err.split("attachment ")[1].split(":")[0])
    check("old keys" not in store.run("list").err and store.json("verify")["ok"], "something is left to do")


def test(top):
    if not can_trace():
        print("strace may not trace here: nothing was tested")
        return
    # LeakSanitizer does not work under strace.
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    office = archive(os.path.join(top, "archive"))
    store = device(os.path.join(top, "store"), office)
    fill(store, top)
    test_rekey(store)
    test_rekey_to_its_end(store)


main(test)
