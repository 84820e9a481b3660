#!/usr/bin/env python3
"""How time, memory and size grow with the number of records, through the programs themselves.

usage: SK_BIN=build/dev/cli tests/bench/scale.py [--bytes N] [--dir DIR] [SIZE ...]

For each size (by default 10,000, 100,000 and 1,000,000 records): adds them in batches, searches, shows one,
lists, exports, imports into an archive, adds one more, exports that, and verifies both ends. Texts have about
--bytes bytes (300), half in Cyrillic, with words as frequent as in speech. Prints wall and CPU seconds and the
largest resident memory of each command, and the sizes of the files. The stores use the test KDF, so that the
256 MiB of the key derivation do not hide what the command itself needs.
"""
import argparse
import itertools
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

BIN = os.environ.get("SK_BIN", "build/dev/cli")
BATCH = 100_000
VOCABULARY = 30_000
SYLLABLES = ("ba de fi go hu ka le mi no pu ra se ti vo zu sta".split(),
             "ба дзе фі го ху ка ле мі но пу ра се ці во зу ста".split())


def word(number):
    """The n-th word, in Cyrillic when n is odd."""
    out, rest = "", number // 2 + 20
    while rest:
        out += SYLLABLES[number % 2][rest % 16]
        rest //= 16
    return out


WORDS = [word(number) for number in range(VOCABULARY)]
RARE, COMMON = WORDS[20_001], WORDS[1_001]


def text(rng, length):
    """About `length` bytes in UTF-8; the n-th word comes as often as 1/n."""
    out, size = [], 0
    while size < length:
        out.append(WORDS[int(math.exp(rng.random() * math.log(VOCABULARY)))])
        size += len(out[-1].encode()) + 1
    return " ".join(out)


class Side:
    """One of the programs with its folder."""

    def __init__(self, program, place):
        self.command = [os.path.join(BIN, program), "--store" if program == "skrynia" else "--archive", place]

    def run(self, args, code=None, out=None):
        """Runs a command; gives (output, wall seconds, CPU seconds, MiB)."""
        options, fds = [], []
        for flag, line in (("--passphrase-fd", "a passphrase for tests"), ("--code-fd", code)):
            if line is not None:
                read, write = os.pipe()
                os.write(write, line.encode() + b"\n")
                os.close(write)
                fds.append(read)
                options.append([flag, str(read)])
        command = self.command + options[0] + args + (options[1] if code else [])
        begin = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out or subprocess.PIPE,
                              stderr=subprocess.PIPE, pass_fds=fds) as process:
            for fd in fds:
                os.close(fd)
            printed = b"" if out else process.stdout.read()
            err = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(args)}: exit {process.returncode}: {err.decode()}")
        return (printed.decode(), time.monotonic() - begin, usage.ru_utime + usage.ru_stime,
                usage.ru_maxrss / 1024)


def batches(rng, top, count, length):
    """Files of records, one after the other."""
    path = os.path.join(top, "records.jsonl")
    for begin in range(0, count, BATCH):
        with open(path, "w", encoding="utf-8") as out:
            for number in range(begin, min(begin + BATCH, count)):
                record = {"title": f"Testimony {number}", "text": text(rng, length)}
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
        yield path


def folder_size(place):
    """Bytes of all files below a folder."""
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(place) for name in names)


def measure(count, length, directory):
    """All commands at one size: {what: (wall, CPU, MiB) or bytes}."""
    rng = random.Random(count)
    top = tempfile.mkdtemp(prefix="skrynia-scale.", dir=directory)
    figures = {}

    def timed(name, side, args, **more):
        print(f"  {count}: {name}", file=sys.stderr, flush=True)
        out, *figure = side.run(args, **more)
        if name in figures:
            wall, cpu, size = figures[name]
            figure = [wall + figure[0], cpu + figure[1], max(size, figure[2])]
        figures[name] = tuple(figure)
        return out

    try:
        device = Side("skrynia", os.path.join(top, "store"))
        archive = Side("skrynia-receiver", os.path.join(top, "archive"))
        archive.run(["init", "--name", "A", "--insecure-test-kdf"])
        invite = os.path.join(top, "invite")
        words = archive.run(["invite", "birch", invite])[0].strip()
        device.run(["init", "--insecure-test-kdf", "--invite", invite], code=words)
        victim = None
        for path in batches(rng, top, count, length):
            victim = timed("add all", device, ["add", "testimony", "--from", path]).split()[0]
        bundle, second = os.path.join(top, "bundle"), os.path.join(top, "second")
        with open(os.devnull, "wb") as null:
            timed("open and show one", device, ["show", victim])
            timed("search, a rare word", device, ["search", RARE], out=null)
            timed("search, a common word", device, ["search", COMMON], out=null)
            timed("list all", device, ["list"], out=null)
        timed("status", device, ["status"])
        timed("export all", device, ["export", bundle])
        timed("import all", archive, ["import", bundle])
        timed("add one", device, ["add", "testimony", "title=one more", "text=" + text(rng, length)])
        timed("export one", device, ["export", second])
        timed("import one", archive, ["import", second])
        timed("verify the store", device, ["verify"])
        timed("verify the archive", archive, ["verify"])
        figures["bytes of the store"] = folder_size(device.command[2])
        figures["bytes of the bundle"] = os.path.getsize(bundle)
    finally:
        shutil.rmtree(top)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bytes", type=int, default=300)
    parser.add_argument("--dir", help="where the stores stand; by default the system's temporary folder")
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    args = parser.parse_args()
    found = {size: measure(size, args.bytes, args.dir) for size in args.sizes}

    print("| what | " + " | ".join(f"{size:,}: wall s, CPU s, MiB" for size in args.sizes) + " | growth of CPU |")
    print("|---" * (len(args.sizes) + 2) + "|")
    for what, first in found[args.sizes[0]].items():
        row = [figures[what] for figures in found.values()]
        if isinstance(first, int):
            cells = [f"{value / 1e6:.1f} MB" for value in row]
            growth = [after / before for before, after in itertools.pairwise(row)]
        else:
            cells = [f"{wall:.2f}, {cpu:.2f}, {size:.0f}" for wall, cpu, size in row]
            growth = [after[1] / max(before[1], 0.001) for before, after in itertools.pairwise(row)]
        print(f"| {what} | " + " | ".join(cells) + " | " + ", ".join(f"x {g:.1f}" for g in growth) + " |")


if __name__ == "__main__":
    main()
