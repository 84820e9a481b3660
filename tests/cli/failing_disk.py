"""Goal of this test: where a system call fails, each command tells what is so: what was saved, what was not,
and what to do next; and doing that is what helps.

strace lets the calls fail. Without it, or where it may not trace, nothing is tested.
"""
import os

import programs
from programs import IO, archive, can_trace, check, device, main, write


def failing(store, path, calls, error, *args, when="1+", **how):
    """Runs a command of which calls on one file fail."""
    programs.wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", f"trace={calls}",
                        "-e", f"inject={calls}:error={error}:when={when}"]
    try:
        return store.run(*args, **how)
    finally:
        programs.wrapper = []


def until(holds, store, path, error, *args, when="{}+"):
    """Lets more and more writes to a file succeed until the command ends as it is to; returns its end."""
    for call in range(1, 200):
        ran = failing(store, path, "pwrite64", error, *args, when=when.format(call))
        if holds(ran):
            return ran
        check(ran.code == IO and ran.out == "", f"{args}, {error}, call {call}: {ran.code}: {ran.err}")
    raise programs.Failure(f"{args}, {error}: it never ends so")


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


def test_closing(store):
    """The record is in the log when the last step of a command fails: nobody is told to add it again."""
    data = os.path.join(store.folder, "data")
    for error, words in (("EIO", "another disk"), ("ENOSPC", "Make room")):
        ran = until(lambda ran: ran.out, store, data, error, "add", "event", f"title={error}")
        check(ran.code == 0 and len(ran.out.strip()) == 32, f"{error}: {ran.code}: {ran.err}")
        check("What was saved is safe" in ran.err and words in ran.err, f"{error}: {ran.err}")
        check([row["title"] for row in store.json("list")].count(error) == 1, f"{error}: it is not there")


def test_withdraw(store):
    """Withdrawn, with old copies left: it is said so, and what is advised takes them away."""
    data = os.path.join(store.folder, "data")
    for error in ("EIO", "ENOSPC"):
        record = store("add", "event", f"title=To go, {error}")
        ran = until(lambda ran: "old copies" in ran.err, store, data, error, "withdraw", record)
        check(ran.code == IO and "it was saved, but old copies" in ran.err, f"{error}: {ran.code}: {ran.err}")
        check("Do not do it again" in ran.err and "then do it again" not in ran.err, ran.err)
        check("'skrynia list'" in ran.err, ran.err)
        check(os.path.getsize(data + "-wal") > 0, "no old copies were left")
        check("warning: /" not in store.run("list").err and not os.path.exists(data + "-wal"), "they are still there")
        check("withdrawn already" in store.run("withdraw", record).err, "it was not withdrawn")


def test_export(store, top):
    """Before the bundle is written, and after: what is said to do can be done as it is said."""
    data = os.path.join(store.folder, "data")
    bundle = os.path.join(top, "bundle")
    for error in ("EIO", "ENOSPC"):
        store("add", "event", f"title=To send, {error}")
        ran = until(lambda ran: "old copies" in ran.err, store, data, error, "export", bundle)
        check(ran.code == IO and "it was not ended" in ran.err and "it was saved" not in ran.err, ran.err)
        check("under another name" not in ran.err and not os.path.exists(bundle), ran.err)
        store("export", bundle)
        os.unlink(bundle)
        store("add", "event", f"title=To send again, {error}")
        ran = until(lambda _: os.path.exists(bundle), store, data + "-wal", error, "export", bundle, when="{}")
        check(ran.code == IO and "may not count as sent" in ran.err, f"{error}: {ran.code}: {ran.err}")
        check("xport again, under another name" in ran.err and "do it again" not in ran.err, ran.err)
        store("export", bundle + "2")
        for path in (bundle, bundle + "2"):
            os.unlink(path)


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
    test_closing(store)
    test_withdraw(store)
    test_export(store, top)


main(test)
