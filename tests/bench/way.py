#!/usr/bin/env python3
"""Times the whole way with 20,000 records of 2 KB and with a large attachment.

usage: SK_BIN=build/dev/cli python3 tests/bench/way.py [RECORDS [MEGABYTES]]

Prints seconds, seconds of CPU and the largest resident memory of each command. The stores use the test
KDF, so that the 256 MiB of the key derivation do not hide what the command itself needs.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

BIN = os.environ.get("SK_BIN", "build/dev/cli")
RECORDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
MEGABYTES = int(sys.argv[2]) if len(sys.argv) > 2 else 300

CYRILLIC = ("суд прысуд камера адвакат затрыманне сведчанне вобыск допыт калонія ліст сястра маці "
            "брат горад вуліца дзень ноч хлеб вада святло").split()
LATIN = ("court verdict cell counsel detention testimony search questioning colony letter sister "
         "mother brother town street day night bread water light").split()


def text(rng, length):
    """Text half in Cyrillic, about `length` bytes in UTF-8."""
    out = []
    size = 0
    while size < length:
        word = rng.choice(CYRILLIC if len(out) % 3 else LATIN) + str(rng.randrange(100))
        out.append(word)
        size += len(word.encode()) + 1
    return " ".join(out)


def timed(name, program, place, args, stdin=None, code=None):
    """Runs one command and prints what it took; returns its output."""
    folder = "--store" if program == "skrynia" else "--archive"
    fds = []
    options = []
    for flag, line in (("--passphrase-fd", "a passphrase for tests"), ("--code-fd", code)):
        if line is None:
            continue
        read, write = os.pipe()
        os.write(write, line.encode() + b"\n")
        os.close(write)
        fds.append(read)
        options.append((flag, str(read)))
    command = [os.path.join(BIN, program), folder, place, *options[0], *args]
    for option in options[1:]:
        command += option
    begin = time.monotonic()
    with subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, pass_fds=fds) as process:
        for fd in fds:
            os.close(fd)
        out = process.stdout.read()
        err = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begin
    if process.returncode != 0:
        sys.exit(f"{name}: exit {process.returncode}: {err.decode()}")
    if name:
        print(f"| {name} | {seconds:.2f} | {usage.ru_utime + usage.ru_stime:.2f} | "
              f"{usage.ru_maxrss / 1024:.0f} |", flush=True)
    return out.decode()


def main():
    rng = random.Random(1)
    top = tempfile.mkdtemp(prefix="skrynia-bench.")
    store, archive = os.path.join(top, "store"), os.path.join(top, "archive")
    try:
        timed("", "skrynia-receiver", archive, ["init", "--name", "A", "--insecure-test-kdf"])
        invite = os.path.join(top, "invite")
        words = timed("", "skrynia-receiver", archive, ["invite", "birch", invite]).strip()
        timed("", "skrynia", store, ["init", "--insecure-test-kdf", "--invite", invite], code=words)
        source = os.path.join(top, "records.jsonl")
        with open(source, "w", encoding="utf-8") as out:
            for i in range(RECORDS):
                record = {"title": f"Testimony {i}", "text": text(rng, 1900)}
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
        blob = os.path.join(top, "video.mp4")
        with open(blob, "wb") as out:
            for _ in range(MEGABYTES):
                out.write(rng.randbytes(1_000_000))
        size = os.path.getsize(source) / 1e6

        print("| what | seconds | CPU | memory, MiB |\n|---|---|---|---|")
        first, second = os.path.join(top, "b1"), os.path.join(top, "b2")
        out = timed(f"add {RECORDS} records, {size:.0f} MB", "skrynia", store,
                    ["add", "testimony", "--from", source])
        victim = out.split()[0]
        timed("export them", "skrynia", store, ["export", first])
        timed("import them", "skrynia-receiver", archive, ["import", first])
        timed("import them again", "skrynia-receiver", archive, ["import", first])
        timed("open and show one", "skrynia", store, ["show", victim])
        timed("search", "skrynia-receiver", archive, ["search", "ПРЫСУД77", "--json"])
        timed("list", "skrynia-receiver", archive, ["list", "--json"])
        timed("verify", "skrynia-receiver", archive, ["verify"])
        attachment = timed(f"attach {MEGABYTES} MB", "skrynia", store, ["attach", victim, blob]).strip()
        timed("export it", "skrynia", store, ["export", second])
        timed("import it", "skrynia-receiver", archive, ["import", second])
        timed("extract it", "skrynia-receiver", archive,
              ["extract", attachment, os.path.join(top, "out")])
        print(f"\nbundle of the records: {os.path.getsize(first) / 1e6:.1f} MB, "
              f"{os.path.getsize(first) / os.path.getsize(source):.2f} of the input")
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    main()
