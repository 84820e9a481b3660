#!/usr/bin/env python3
"""Goal of this test: the receiver takes bundles apart in a worker behind a sandbox, and where there can be none it
refuses, before it asks for anything, and changes nothing, unless it is told by --without-sandbox. A worker that is
killed in the middle of an import costs nothing either: the file is kept, and imported when it is tried again.
"""
import os
import shutil
import signal
import subprocess

import programs
from programs import CONFIG, IO, SANITIZED, USAGE, Store, archive, check, device, files, main, write

NO_SECCOMP = os.environ["SK_NO_SECCOMP"]
NOBODY = 65534
TRIES = 200
WARNING = "warning: bundles are read without a sandbox"


def without(way, *args, **more):
    """Runs a program where something is missing; LeakSanitizer would miss it too."""
    programs.wrapper[:] = way
    try:
        return programs.run(*args, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}, **more)
    finally:
        programs.wrapper.clear()


def no_proc():
    """A way to run a program without /proc, by which the worker is started; None if this user may not, or
    a sanitizer wants it itself."""
    if SANITIZED:
        return None
    way = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
    tried = subprocess.run([*way, "true"], capture_output=True, check=False)
    return way if tried.returncode == 0 else None


def refused(way, to, command, words):
    """Without a passphrase, since none is asked for."""
    before = files(to.folder)
    ran = without(way, to.program, to.option, to.folder, *command)
    check(ran.code == CONFIG, f"{command}: exit code {ran.code}: {ran.err}")
    for part in ("cannot be read in a sandbox here", words, "Nothing was imported. Keep the bundles",
                 "--without-sandbox"):
        check(part in ran.err, f"{command} does not say \"{part}\": {ran.err}")
    check(ran.out == "" and "passphrase" not in ran.err, f"{command} asks or prints: {ran.err}")
    check(files(to.folder) == before, f"{command} changed something")


def told(way, to, *command):
    """With the option it is done, and warned about."""
    programs.wrapper[:] = way
    try:
        ran = to.run(*command)
    finally:
        programs.wrapper.clear()
    check(ran.code == 0, f"{command}: exit code {ran.code}: {ran.err}")
    check(ran.err.count(WARNING) == 1, f"{command} does not warn: {ran.err}")


def no_sandbox(at):
    """Kernels without a filter, and a place without /proc."""
    to = archive(at("archive"))
    by = device(at("store"), to)
    for name in ("one", "two"):
        by("add", "case", f"title={name}")
        by("export", at(name))
    missing = [([NO_SECCOMP], "no system call filter (seccomp) that kills")]
    if no_proc():
        missing.append((no_proc(), "a process for it does not start"))
    else:
        print("SKIPPED: /proc cannot be taken away here")
    for way, words in missing:
        refused(way, to, ["import", at("one")], words)
        refused(way, to, ["import", at("one"), at("two")], words)
        refused(way, to, ["approve", "birch"], words)
        check(without(way, to.program, "import", "-h").code == 0, "help wants a sandbox")
    told([NO_SECCOMP], to, "import", "--without-sandbox", at("one"))
    ran = to.run("import", at("two"))
    check(ran.code == 0 and WARNING not in ran.err, f"a warning for nothing: {ran.err}")
    ran = to.run("import", "--without-sandbox=yes", at("two"))
    check(ran.code == USAGE, f"the option takes a value: {ran.code}")
    check(len(to.json("list")) == 2, "not both are here")
    to("verify")


def children(pid):
    """Process ids of the children of a process."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def is_worker(pid):
    """Whether it has become a worker already."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read() == b"skrynia-worker\0"
    except OSError:
        return False


def kill_worker(to, bundle, number):
    """Imports, and kills the first worker that is seen after so many others; how the import ended."""
    errors = to.folder + ".err"
    with open(errors, "wb") as err:
        with to.run("import", bundle, how=programs.start, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=err) as process:
            seen = []
            while process.poll() is None and len(seen) <= number:
                seen += [pid for pid in children(process.pid) if pid not in seen and is_worker(pid)]
            if len(seen) > number:
                try:
                    os.kill(seen[number], signal.SIGKILL)
                except ProcessLookupError:
                    pass
            code = process.wait()
    return code, programs.read(errors).decode()


def killed(at):
    """The worker goes in the middle of an import."""
    to = archive(at("hit"))
    by = device(at("sender"), to, alias="oak")
    source = by("add", "source", "title=With a film")
    by("attach", source, write(at("film"), os.urandom(20_000_000)))
    by("export", at("film.bundle"))
    before = to.dump()
    hit = {0: 0, 1: 0}
    spare = at("spare")
    shutil.copytree(to.folder, spare)
    for number in (0, 1):
        for _ in range(TRIES):
            code, err = kill_worker(to, at("film.bundle"), number)
            if code == 0: # it was done already
                shutil.rmtree(to.folder)
                shutil.copytree(spare, to.folder)
                continue
            hit[number] += 1
            check(code == IO and "killed (signal 9)" in err, f"exit code {code}: {err}")
            check("Keep it, and import it again" in err or number == 0, err)
            check(to.dump() == before, "an import whose worker was killed changed something")
            check(os.listdir(os.path.join(to.folder, "media")) == [], "something was left in media")
            break
    check(hit[1] > 0, "no worker was hit")
    to("import", at("film.bundle"))
    check(len(to.json("list")) == 1, "the film did not come")
    to("verify")


def another_user(at):
    """One that is not root, whose own /proc is closed to it since it leaves no cores."""
    if os.geteuid() != 0:
        return
    place = at("another")
    os.mkdir(place)
    os.chown(place, NOBODY, NOBODY)
    os.chmod(os.path.dirname(place), 0o711)
    for program in ("skrynia", "skrynia-receiver"):
        shutil.copy(os.path.join(programs.BIN, program), place)
    kept, programs.BIN = programs.BIN, place
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": place,
                 "env": {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}}
    to = Store("skrynia-receiver", os.path.join(place, "archive"))
    by = Store("skrynia", os.path.join(place, "store"))
    to("init", "--name", "A", "--insecure-test-kdf", **as_nobody)
    letter = os.path.join(place, "letter")
    words = to("invite", "elm", letter, **as_nobody)
    by("init", "--insecure-test-kdf", "--invite", letter, code=words, **as_nobody)
    by("add", "case", "title=one", **as_nobody)
    by("export", os.path.join(place, "bundle"), **as_nobody)
    ran = to.run("import", os.path.join(place, "bundle"), **as_nobody)
    check(ran.code == 0 and "1 new" in ran.out, f"as another user: {ran.code}: {ran.err}")
    programs.BIN = kept


def called_by_hand():
    """Its name alone does nothing: there is nobody to give it a job."""
    ran = subprocess.run(["skrynia-worker"], executable=os.path.join(programs.BIN, "skrynia-receiver"),
                         stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    check(ran.returncode == 1 and ran.stdout == b"", f"a worker by hand: {ran}")


def test(top):
    """See above."""
    def at(*names):
        return os.path.join(top, *names)

    no_sandbox(at)
    killed(at)
    another_user(at)
    called_by_hand()


main(test)
