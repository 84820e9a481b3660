"""The documents core/FORMAT.md and sync/FORMAT.md are exact: readers written from them alone (tests/reader)
find in a store what was recorded, after it was closed and after the program was killed; and unpack a
backup, from which a restored store's first entry says what the old key signed."""
import json
import os
import shutil
import signal
import subprocess
import time

from programs import DAMAGED, PASSPHRASE, Failure, Store, archive, check, device, main, read, start, write

READER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader", "store.py")
PYTHON = "/usr/bin/python3"  # that for which Debian packages python3-nacl
RECORDS = 3000


def run_reader(store, top):
    plain = os.path.join(top, "plain")
    os.makedirs(plain, exist_ok=True)
    for name in os.listdir(plain):
        os.remove(os.path.join(plain, name))
    return subprocess.run([PYTHON, "-B", READER, store.folder, plain], check=False,
                          input=PASSPHRASE.encode() + b"\n", capture_output=True)


def read_store(store, top):
    """What the second reader counts in a store."""
    ran = run_reader(store, top)
    check(ran.returncode == 0, f"the second reader ends with\n{ran.stderr.decode()}")
    return json.loads(ran.stdout)


def events(count):
    return "".join(json.dumps({"title": f"Event {n}"}) + "\n"
                   for n in range(count))


def kill_while_adding(store, top):
    """Kills the program when its write-ahead log holds something."""
    source = write(os.path.join(top, "many"), events(RECORDS))
    wal = os.path.join(store.folder, "data-wal")
    with store.run("add", "event", "--from", source, how=start, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not (os.path.exists(wal) and os.path.getsize(wal) > 8192):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    return os.path.exists(wal) and os.path.getsize(wal) > 0


def read_backup(store, top):
    """Unpacks a backup, reads the store in it, and what a store restored from it says it continues."""
    backup, unpacked = os.path.join(top, "backup"), Store("skrynia", os.path.join(top, "unpacked"))
    store("backup", backup)
    reader = os.path.join(os.path.dirname(READER), "backup.py")
    ran = subprocess.run([PYTHON, "-B", reader, backup, unpacked.folder, "test"], check=False,
                         input=PASSPHRASE.encode() + b"\n", capture_output=True)
    check(ran.returncode == 0, f"the second reader of backups ends with\n{ran.stderr.decode()}")
    there = read_store(unpacked, top)
    check(there == read_store(store, top), "what is in the backup is not what is in the store")
    restored = Store("skrynia", os.path.join(top, "restored"))
    restored("restore", backup, "--insecure-test-kdf")
    found = read_store(restored, top)
    check(found["entries"] == there["entries"] + 1, f"{found['entries']} entries after a restore")
    said = [text for text in found["texts"] if "continues" in text]
    check(len(said) == 1 and said[0]["continues"] == store.json("status")["log"] and
          said[0]["size"] == there["entries"], f"it continues {said}")
    script = ("import sys, json; sys.path.insert(0, sys.argv[1]); import backup; "
              "backup.check_continuation(json.loads(sys.argv[2]), bytes.fromhex(sys.argv[3]), 0)")
    ran = subprocess.run([PYTHON, "-B", "-c", script, os.path.dirname(READER), json.dumps(said[0]),
                          restored.json("status")["log"]], check=False, capture_output=True)
    check(ran.returncode == 0, f"the continuation: {ran.stderr.decode()}")


def put(store, name, at, piece):
    """Writes bytes into a file of the store; a negative place counts from the end."""
    path = os.path.join(store.folder, name)
    with open(path, "r+b") as file:
        file.seek(at if at >= 0 else os.path.getsize(path) + at)
        file.write(piece)


def refused(store, top, words):
    """Both readers refuse the store, or find what is wrong with it; the second one in these words."""
    ran = run_reader(store, top)
    check(ran.returncode != 0 and f"Damaged: {words}" in ran.stderr.decode(),
          f"the second reader does not find {words!r}: {ran.stderr.decode()}")
    store("verify", expect=DAMAGED)


def read_damaged(store, top):
    """A closed store of which something is wrong that no seal, or none of SQLite's checks, tells."""
    data = os.path.join(store.folder, "data")
    whole, page = read(data), 8192 + 4096
    for what, words, change in (
            ("zeros in the place of a page", "page 2", lambda: put(store, "data", page, bytes(4096))),
            ("zeros at the end", "page ", lambda: put(store, "data", -4096, bytes(4096))),
            ("an end that is missing", "page ", lambda: os.truncate(data, len(whole) - 4096)),
            ("a part of a page", "a partial page", lambda: os.truncate(data, len(whole) + 100))):
        change()
        try:
            refused(store, top, words)
        except Failure as failure:
            raise Failure(f"{what}: {failure}") from failure
        write(data, whole)
    read_store(store, top)


def put_page_back(store, top):
    """Each page from before a record was withdrawn: `verify` tells of all that the second reader tells of."""
    def verdicts():
        return run_reader(store, top).returncode == 0, store.run("verify").code == 0

    data = os.path.join(store.folder, "data")
    before = read(data)
    store("withdraw", store.json("list")[0]["id"])
    after, told = read(data), 0
    for at in range(8192, min(len(before), len(after)), 4096):
        page, now = before[at:at + 4096], after[at:at + 4096]
        if page == now:
            continue
        put(store, "data", at, page)
        second, first = verdicts()
        check(second or not first, f"the second reader alone tells of page {(at - 8192) // 4096 + 1}")
        told += not first
        put(store, "data", at, now)
    check(told > 3, f"{told} pages put back are told")
    check(verdicts() == (True, True), "the store is not whole any more")


def torn_log(store, top, before):
    """A copy of a killed store in whose log no frame opens: both readers go back to what was there before,
    or refuse it if `data` needs a frame."""
    copy = Store("skrynia", os.path.join(top, "copy"))
    shutil.copytree(store.folder, copy.folder)
    size = os.path.getsize(os.path.join(copy.folder, "data-wal"))
    frames = (size - 4128) // 4120
    for frame in range(frames):
        put(copy, "data-wal", 4128 + frame * 4120 + 2000, os.urandom(8))
    ran, listed = run_reader(copy, top), copy.run("list", "--json")
    if ran.returncode == 0:
        check(json.loads(ran.stdout)["entries"] == before, "frames that do not open are read")
        check(listed.code == 0 and len(json.loads(listed.out)) == before - 4, f"the program: {listed.err}")
    else:
        check("Damaged: " in ran.stderr.decode() and listed.code == DAMAGED, f"{ran.stderr.decode()} {listed.err}")


def test(top):
    office = archive(os.path.join(top, "archive"))
    laptop = device(os.path.join(top, "store"), office)
    laptop("add", "event", "--from", write(os.path.join(top, "one"), events(300)))
    first = laptop.json("list")[0]["id"]
    laptop("attach", first, write(os.path.join(top, "photo"), os.urandom(3_000_000)))
    laptop("attach", first, write(os.path.join(top, "empty"), b""))
    laptop("withdraw", laptop.json("list")[1]["id"])
    bundle = os.path.join(top, "bundle")
    laptop("export", bundle)
    office("import", bundle)

    for store in (laptop, office):
        found = read_store(store, top)
        check(found["entries"] == 303, f"{found['entries']} entries")
        check(found["payloads"] == 301, f"{found['payloads']} payloads")
        check(not found["log"], "a store that was closed well has no log")
        titles = {text["fields"]["title"] for text in found["texts"] if "fields" in text}
        check(len(titles) == 299 and "Event 0" in titles, "titles are not those that were recorded")

    read_backup(laptop, top)
    other = device(os.path.join(top, "other"))
    other("add", "event", "--from", write(os.path.join(top, "few"), events(40)))
    read_damaged(other, top)
    put_page_back(other, top)

    # The program may have closed the store well before the signal came: then again.
    before, tries = 303, 0
    while not kill_while_adding(laptop, top):
        before, tries = before + RECORDS, tries + 1
        check(tries < 20, "the program could not be killed in time")
    found = read_store(laptop, top)
    check(found["log"], "the log of a killed program was not read")
    check(found["entries"] in (before, before + RECORDS), f"{found['entries']} after a kill")
    torn_log(laptop, top, before)
    laptop("verify")
    check(len(laptop.json("list")) == found["entries"] - 4, "both readers see the same")


main(test)
