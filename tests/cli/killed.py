"""Goal of this test: a command that writes a file outside of the store, killed by SIGKILL in the middle of it,
leaves nothing beside that file, under no name: not of a testimony in plain text, not of a bundle. The same
command succeeds after that.

strace kills it, at each of its writes. Without it, or where it may not trace, or on a file system that has no
files without a name, nothing is tested.
"""
import os
import signal
import subprocess

import programs
from programs import archive, check, device, main, read, run, write

CALLS = "write,fsync,linkat"
MOST = 400


def can_test(top):
    try:
        fd = os.open(top, os.O_TMPFILE | os.O_RDWR, 0o600)
        os.close(fd)
        return subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                              stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def killed(call, number, command):
    """Runs a command that gets SIGKILL as it makes that call."""
    programs.wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                        "-e", f"inject={call}:signal=SIGKILL:when={number}"]
    try:
        return command()
    finally:
        programs.wrapper = []


def kill_everywhere(folder, target, command):
    """Kills it at more and more distant writes, syncs and names, until it ends by itself."""
    kills = 0
    for call in CALLS.split(","):
        number = 1
        while True:
            ran = killed(call, number, command)
            if ran.code == 0:
                check(os.listdir(folder) == [target], f"{call} {number}: {os.listdir(folder)}")
                os.unlink(os.path.join(folder, target))
                break
            check(ran.code in (-signal.SIGKILL, 128 + signal.SIGKILL), f"{call} {number}: {ran.code}: {ran.err}")
            check(set(os.listdir(folder)) <= {target}, f"{call} {number}: left {os.listdir(folder)}")
            kills += 1
            if os.listdir(folder):  # it was whole already
                check(call == "fsync" or call == "write", f"{call} {number}: it was not named yet")
                os.unlink(os.path.join(folder, target))
            check(number < MOST, f"{call}: it never ends")
            number += 1 + number // 4
    return kills


def test(top):
    if not can_test(top):
        print("no strace that may trace, or no files without a name: nothing was tested")
        return
    # LeakSanitizer does not work under strace.
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    office = archive(os.path.join(top, "archive"))
    store = device(os.path.join(top, "store"), office)
    photo = write(os.path.join(top, "photo"), os.urandom(400_000))
    record = store("add", "testimony", "title=With a photo")
    attachment = store("attach", record, photo)
    folder = os.path.join(top, "out")
    os.mkdir(folder)
    target = os.path.join(folder, "file")
    code = store("export", os.path.join(top, "bundle")).split()
    check(code, "no code")
    counts = [
        kill_everywhere(folder, "file", lambda: store.run("extract", attachment, target)),
        kill_everywhere(folder, "file", lambda: store.run("export", "--all", target)),
        kill_everywhere(folder, "file", lambda: store.run("backup", target)),
        kill_everywhere(folder, "bundle", lambda: run("skrynia-courier", "copy", os.path.join(top, "bundle"), folder)),
    ]
    check(min(counts) > 3, f"killed {counts} times")
    store("extract", attachment, target)
    check(read(target) == read(photo), "the photo is another one")
    check(store.json("verify")["ok"], "verify")
    print(f"extract, export, backup and copy were killed {counts} times and left nothing")


main(test)
