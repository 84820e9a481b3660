#!/usr/bin/env python3
"""What the worker costs: the same bundles imported with it and without, in turns, into copies of one archive.

usage: SK_BIN=build/dev/cli python3 tests/bench/sandbox.py [RECORDS [MEGABYTES [ROUNDS]]]

Prints the median of the rounds: seconds on the clock, and seconds of CPU of the receiver and its worker
together; and the ratio of the two. Seconds on the clock depend on how many cores are free.
"""
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import way

RECORDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
MEGABYTES = int(sys.argv[2]) if len(sys.argv) > 2 else 300
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
WAYS = {"with the worker": [], "--without-sandbox": ["--without-sandbox"]}


def timed_import(archive, bundle, options):
    """Imports into a copy of the archive; seconds, seconds of CPU, MiB of the larger process."""
    copy = archive + ".copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(archive, copy)
    os.sync()
    read, write = os.pipe()
    os.write(write, b"a passphrase for tests\n")
    os.close(write)
    command = [os.path.join(way.BIN, "skrynia-receiver"), "--archive", copy, "--passphrase-fd",
               str(read), "import", *options, bundle]
    begin = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, pass_fds=[read]) as process:
        os.close(read)
        err = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"exit {process.returncode}: {err.decode()}")
    return (time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(name, archive, bundle):
    """Times both ways in turns and prints a line for each."""
    seen = {label: [] for label in WAYS}
    for _ in range(ROUNDS):
        for label, options in WAYS.items():
            seen[label].append(timed_import(archive, bundle, options))
    middle = {label: [statistics.median(column) for column in zip(*rows)]
              for label, rows in seen.items()}
    for label, (wall, cpu, memory) in middle.items():
        print(f"| {name}, {label} | {wall:.2f} | {cpu:.2f} | {memory:.0f} |")
    with_it, without = middle["with the worker"], middle["--without-sandbox"]
    print(f"| ratio | {with_it[0] / without[0]:.2f} | {with_it[1] / without[1]:.2f} | |", flush=True)


def main():
    """Makes a store with records and one with an attachment, and imports from each."""
    rng = random.Random(1)
    top = tempfile.mkdtemp(prefix="skrynia-bench.")
    store, archive = os.path.join(top, "store"), os.path.join(top, "archive")
    try:
        way.timed("", "skrynia-receiver", archive, ["init", "--name", "A", "--insecure-test-kdf"])
        invite = os.path.join(top, "invite")
        words = way.timed("", "skrynia-receiver", archive, ["invite", "birch", invite]).strip()
        way.timed("", "skrynia", store, ["init", "--insecure-test-kdf", "--invite", invite],
                  code=words)
        one = way.timed("", "skrynia", store, ["add", "testimony", "title=one", "text=one"]).strip()
        small, large = os.path.join(top, "small"), os.path.join(top, "large")
        many = os.path.join(top, "many")
        way.timed("", "skrynia", store, ["export", small])
        source = os.path.join(top, "records.jsonl")
        with open(source, "w", encoding="utf-8") as out:
            for i in range(RECORDS):
                record = {"title": f"Testimony {i}", "text": way.text(rng, 1900)}
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
        way.timed("", "skrynia", store, ["add", "testimony", "--from", source])
        way.timed("", "skrynia", store, ["export", many])
        blob = os.path.join(top, "video.mp4")
        with open(blob, "wb") as out:
            for _ in range(MEGABYTES):
                out.write(rng.randbytes(1_000_000))
        way.timed("", "skrynia", store, ["attach", one, blob])
        way.timed("", "skrynia", store, ["export", large])
        print("| what | seconds | CPU | memory, MiB |\n|---|---|---|---|")
        compare("one record", archive, small)
        compare(f"{RECORDS} records of 2 KB", archive, many)
        compare(f"{MEGABYTES} MB of media", archive, large)
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    main()
