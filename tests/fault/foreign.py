#!/usr/bin/env python3
"""Goal of this test: a program that knows nothing of the encrypting VFS can be put on it with LD_PRELOAD
(tests/support/vfs_entry.h), in rollback and in write-ahead mode, from several processes at once; nothing
of what it writes to its database stands there in plain text, and nothing acknowledged is lost.

In the long run SQLite's own test programs follow, when its source can be had: speedtest1 (the same hash as
without the VFS), kvtest, mptest and threadtest3."""
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import sqlite_source  # noqa: E402

WRITERS = 3
ROWS = 60
MARKER = "the witness of Krapivino"

WRITER = f"""
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
db.execute("PRAGMA wal_autocheckpoint = 30")
for i in range({ROWS}):
    db.execute("INSERT INTO t VALUES(?, ?, ?)", (sys.argv[2], i, "{MARKER}" * 40))
    print(i, flush=True)
"""


def preloaded():
    """The environment of a program that is put on the VFS."""
    libraries = [os.environ["SK_TEST_VFS_LIBRARY"]]
    if os.environ.get("SK_SANITIZE"):
        runtime = subprocess.run(["cc", "-print-file-name=libasan.so"], check=True,
                                 stdout=subprocess.PIPE, text=True).stdout.strip()
        libraries.insert(0, runtime)
    return {**os.environ, "LD_PRELOAD": " ".join(libraries), "SK_TEST_VFS_NAME": "sealed",
            "SK_TEST_VFS_KEY": "5a" * 32, "SK_TEST_VFS_JOURNALS": "1", "SK_TEST_VFS_DEFAULT": "1",
            "ASAN_OPTIONS": "detect_leaks=0"}


def ask(path, sql):
    """What a query of one row and column gives, as text."""
    program = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"
    return subprocess.run([sys.executable, "-c", program, path, sql], check=True, env=preloaded(),
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def expect(what, got, wanted):
    """Ends the test unless both are equal."""
    if got != wanted:
        sys.exit(f"{what}: {got!r} instead of {wanted!r}")


def start(path, name):
    """One writer."""
    return subprocess.Popen([sys.executable, "-c", WRITER, path, name], env=preloaded(),
                            stdout=subprocess.PIPE, text=True)


def several_at_once(path):
    """Writers take turns; all rows arrive."""
    writers = [start(path, str(n)) for n in range(WRITERS)]
    for writer in writers:
        with writer:
            expect("rows acknowledged", len(writer.stdout.read().split()), ROWS)
        expect("a writer's exit", writer.returncode, 0)
    expect("rows", ask(path, "SELECT count(*) FROM t"), str(WRITERS * ROWS))


def one_killed(path):
    """What a writer was told is kept is there after it was killed."""
    with start(path, "killed") as writer:
        for _ in range(ROWS // 3):
            line = writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        line = (writer.stdout.read().split() or [line])[-1]
    kept = int(ask(path, "SELECT count(*) FROM t WHERE a = 'killed'"))
    if kept not in (int(line) + 1, int(line) + 2):
        sys.exit(f"{kept} rows are there, of which {int(line) + 1} were acknowledged")


def call(command, place, env=None):
    """Runs one of SQLite's programs; its output, or the end of the test."""
    done = subprocess.run(command, cwd=place, env=env, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout


def hash_line(out):
    """What speedtest1 read, in one line."""
    return next(line for line in out.splitlines() if line.startswith("Verification"))


def sqlites_own(place):
    """SQLite's own test programs; a program that finds a fault says so by its exit code or last words."""
    source = sqlite_source.fetch(os.path.join(place, "source"))
    if not source:
        print("SQLite's source was not to be had: its own test programs were left out")
        return
    programs = {}
    for name in ("speedtest1", "kvtest", "mptest", "threadtest3"):
        programs[name] = os.path.join(place, name)
        expect(f"{name} was built", sqlite_source.build(source, name, programs[name]), True)
    speed = [programs["speedtest1"], "--verify", "--size", "30"]
    wanted = hash_line(call([*speed, "plain"], place))
    for more in ([], ["--journal", "wal"], ["--journal", "wal", "--exclusive"], ["--journal", "truncate"],
                 ["--cachesize", "20"]):
        got = hash_line(call([*speed, *more, "sealed"], place, preloaded()))
        expect(f"speedtest1 {' '.join(more)}", got, wanted)
    call([programs["kvtest"], "init", "kv", "--count", "2000", "--size", "8000"], place, preloaded())
    for more in (["--blob-api", "--random"], ["--update", "--random"]):
        call([programs["kvtest"], "run", "kv", "--count", "3000", *more], place, preloaded())
    out = call([programs["kvtest"], "stat", "kv"], place, preloaded())
    expect("kvtest's check", "Integrity-check:    ok" in out, True)
    script = os.path.join(source, "mptest", "multiwrite01.test")
    for mode in ("wal", "delete"):
        out = call([programs["mptest"], "mp", script, "--journalmode", mode], place, preloaded())
        expect(f"mptest in mode {mode}", "Summary: 0 errors" in out, True)
    out = call([programs["threadtest3"]], place, preloaded())
    expect("threadtest3", "0 errors" in out.splitlines()[-1], True)


def main():
    for mode in ("DELETE", "WAL"):
        with tempfile.TemporaryDirectory(prefix="skrynia-test.") as top:
            path = os.path.join(top, "data")
            expect("mode", ask(path, f"PRAGMA journal_mode = {mode}"), mode.lower())
            subprocess.run([sys.executable, "-c",
                            "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("
                            "'CREATE TABLE t(a, b, c)')", path], check=True, env=preloaded())
            several_at_once(path)
            one_killed(path)
            expect("check", ask(path, "PRAGMA integrity_check"), "ok")
            with open(path, "rb") as file:
                content = file.read()
            expect("plain text in the database", MARKER.encode() in content, False)
            expect("SQLite's header", content.startswith(b"SQLite"), False)
    if os.environ.get("SK_LONG") and not os.environ.get("SK_SANITIZE"):
        with tempfile.TemporaryDirectory(prefix="skrynia-test.") as top:
            sqlites_own(top)


if __name__ == "__main__":
    main()
