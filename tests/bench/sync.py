#!/usr/bin/env python3
"""Bundles beside the tools that people use for the same way, in turn within one run.

usage: tests/bench/sync.py [--quick] [--records N] [--bytes N] [--media MIB] [--rounds N] [--part text|media]
                           [--peer NAME ...] [--build DIR] [--dir DIR]

The budgets are for the full sizes, which need about 3 GiB in DIR and an idle machine; --quick takes a fifth of them.

Text: --records (100,000) records of about --bytes (2,000) bytes, half in Cyrillic; for the peers one file each.
Media: --media (1,024) MiB that do not shrink, in eight files. Each peer takes its input to one file or repository
and back into files again; skrynia exports a store that holds it and imports the bundle into an archive. Every one
of them ends with a sync of what it wrote; skrynia also reads its bundle back before it says done. In each round
the peers follow one another in turning order. Prints medians of wall and CPU seconds, the size of what was
written, skrynia's memory, and ratios: the median of the ratios of skrynia's run to the peer's in the same round.
"one core": skrynia alone, bound to one processor.

The stores use the test KDF; restic and borg have key derivations of their own in each figure. Installs its peers'
packages, as cli/demo.sh does; a peer that is not there is left out. Build first.
"""
import argparse
import contextlib
import itertools
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

import scale

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = "tar gzip gpg gpg-agent zstd age minisign restic borgbackup"
FILES = 8

# What goes out and what comes in; {in} is the folder with the input, {out} what is written, {back} an empty folder.
PEERS = {
    "tar gzip gpg": (
        "tar -C {in} -c . | gzip | gpg -q --batch -z 0 --trust-model always -u bench -r bench -s -e -o {out}",
        "gpg -q --batch --trust-model always -d {out} 2> /dev/null | tar -C {back} -xz"),
    "tar zstd age minisign": (
        "tar -C {in} -c . | zstd -q -3 | age -r {age} -o {out} && echo | minisign -S -s {top}/mini.key -m {out} > /dev/null",
        "minisign -q -V -p {top}/mini.pub -m {out} && age -d -i {top}/age.key {out} | zstd -q -d | tar -C {back} -x"),
    "tar age": (
        "tar -C {in} -c . | age -r {age} -o {out}",
        "age -d -i {top}/age.key {out} | tar -C {back} -x"),
    "restic": (
        "cd {in} && restic -q --no-cache -r {out} backup .",
        "restic -q --no-cache -r {out} restore latest --target {back}"),
    "borg": (
        "cd {in} && borg create {out}::a .",
        "cd {back} && borg extract {out}::a"),
}
BEFORE = {"restic": "restic -q --no-cache -r {out} init > /dev/null", "borg": "borg init -e repokey {out}"}
BUDGETS = {("text", "out", "tar zstd age minisign"): "0.45", ("media", "out", "tar age"): "0.85",
           ("text", "in", "tar gzip gpg"): "0.9", ("text", "in", "tar zstd age minisign"): "2.5",
           ("media", "in", "tar age"): "0.95"}


class Bench:
    """Where things are, and what was measured: figures[part, way][peer] = [(wall, CPU, MiB, bytes)]."""

    def __init__(self, args):
        self.args = args
        self.top = tempfile.mkdtemp(prefix="skrynia-bench.", dir=args.dir)
        self.figures = {}
        scale.BIN = os.path.join(args.build, "cli")
        os.environ.update(GNUPGHOME=self.path("gnupg"), BORG_PASSPHRASE="bench", RESTIC_PASSWORD="bench",
                          BORG_BASE_DIR=self.path("borg-home"))
        os.mkdir(self.path("gnupg"), 0o700)

    def path(self, *names):
        """A path below the temporary folder."""
        return os.path.join(self.top, *names)

    def words(self, part):
        """What stands for the names in a peer's command."""
        return {"in": self.path(part), "out": self.path("out"), "back": self.path("back"), "top": self.top,
                "age": self.age}

    def make_keys(self):
        """Keys for the peers."""
        shell(f"gpg -q --batch --passphrase '' --quick-gen-key bench ed25519 default never; "
              f"gpg -q --batch --passphrase '' --quick-add-key $(gpg -q --list-keys --with-colons bench | "
              f"awk -F: '$1 == \"fpr\" {{ print $10; exit }}') cv25519 encr never", check=False)
        shell(f"echo | minisign -G -W -f -s {self.path('mini.key')} -p {self.path('mini.pub')}", check=False)
        shell(f"age-keygen -o {self.path('age.key')}", check=False)
        with contextlib.suppress(FileNotFoundError), open(self.path("age.key"), encoding="ascii") as lines:
            self.age = next(line.split()[-1] for line in lines if "public key" in line)

    age = ""

    def clean(self):
        """Removes what a peer wrote."""
        for name in ("out", "out.minisig", "back"):
            path = self.path(name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.remove(path)

    def note(self, part, way, peer, figures):
        """Keeps one run's figures."""
        self.figures.setdefault((part, way), {}).setdefault(peer, []).append(figures)
        print(f"  {part} {way} {peer}: {figures[0]:.2f} s", file=sys.stderr, flush=True)


def shell(command, check=True):
    """Runs a line of bash; (wall, CPU) seconds."""
    before = os.times()
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    after = os.times()
    if check and done.returncode:
        sys.exit(f"{command}: {done.stderr.decode()}")
    return (after.elapsed - before.elapsed, after.children_user - before.children_user +
            after.children_system - before.children_system)


def size_of(path):
    """Bytes of a file, or of all files below a folder."""
    return scale.folder_size(path) if os.path.isdir(path) else os.path.getsize(path)


# ---- the input, as files and in a store ----

def make_text(bench):
    """One file a record, a thousand to a folder, and all of them as JSON Lines for the store."""
    rng = random.Random(1)
    weights = list(itertools.accumulate(1 / (n + 1) for n in range(len(scale.WORDS))))
    mean = sum(len(word.encode()) + 1 for word in rng.choices(scale.WORDS, cum_weights=weights, k=10_000)) / 10_000
    count = math.ceil((bench.args.bytes - 60) / mean)
    with open(bench.path("text.jsonl"), "w", encoding="utf-8") as lines:
        for number in range(bench.args.records):
            text = " ".join(rng.choices(scale.WORDS, cum_weights=weights, k=count))
            record = json.dumps({"title": f"Testimony {number}", "text": text}, ensure_ascii=False)
            folder = bench.path("text", str(number // 1000))
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"{number}.json"), "w", encoding="utf-8") as out:
                out.write(record)
            lines.write(record + "\n")


def make_media(bench):
    """Files of random bytes."""
    os.mkdir(bench.path("media"))
    for number in range(FILES):
        with open(bench.path("media", f"{number}.mp4"), "wb") as out:
            for _ in range(bench.args.media // FILES):
                out.write(os.urandom(1 << 20))


def make_store(bench, part):
    """A store that holds the input, and an archive that has invited it."""
    device = scale.Side("skrynia", bench.path(f"store-{part}"))
    archive = scale.Side("skrynia-receiver", bench.path(f"archive-{part}"))
    archive.run(["init", "--name", "A", "--insecure-test-kdf"])
    invite = bench.path(f"invite-{part}")
    words = archive.run(["invite", "birch", invite])[0].strip()
    device.run(["init", "--insecure-test-kdf", "--invite", invite], code=words)
    if part == "text":
        device.run(["add", "testimony", "--from", bench.path("text.jsonl")])
        os.remove(bench.path("text.jsonl"))
    else:
        record = device.run(["add", "testimony", "title=one"])[0].strip()
        for number in range(FILES):
            device.run(["attach", record, bench.path("media", f"{number}.mp4")])
    return device, archive


# ---- one round ----

def run_ours(bench, part, name, ends):
    """Exports everything, and imports it into a copy of the empty archive."""
    device, archive = ends
    copy = scale.Side("skrynia-receiver", bench.path("back"))
    shutil.copytree(archive.command[2], bench.path("back"))
    alone = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if name == "one core" else []
    small = ["--small"] if name == "small" else []
    for way, side, args in (("out", device, ["export", "--all", *small, bench.path("out")]),
                            ("in", copy, ["import", bench.path("out")])):
        os.sync()
        kept, side.command = side.command, alone + side.command
        _, wall, cpu, memory = side.run(args)
        side.command = kept
        bench.note(part, way, name, (wall, cpu, memory, size_of(bench.path("out"))))


def run_peer(bench, part, name):
    """Both ways of another tool."""
    names = bench.words(part)
    os.mkdir(bench.path("back"))
    if name in BEFORE:
        shell(BEFORE[name].format_map(names))
    for way, command, written in zip(("out", "in"), PEERS[name], ("out", "back")):
        os.sync()
        wall, cpu = shell(command.format_map(names) + " && sync -f " + bench.path(written))
        bench.note(part, way, name, (wall, cpu, 0, size_of(bench.path("out"))))
    if size_of(bench.path("back")) != size_of(bench.path(part)):
        sys.exit(f"{name}: what came back is not what went out")


def run_part(bench, part):
    """All rounds of a part."""
    {"text": make_text, "media": make_media}[part](bench)
    ends = make_store(bench, part)
    names = [name for name in bench.args.peer or ["skrynia", "one core", "small", *PEERS]
             if name not in PEERS or shutil.which(name.split()[-1])]
    if part == "media":
        names = [name for name in names if name not in ("small", "tar zstd age minisign")]
    for number in range(bench.args.rounds):
        for name in names[number % len(names):] + names[:number % len(names)]:
            if name in PEERS:
                run_peer(bench, part, name)
            else:
                run_ours(bench, part, name, ends)
            bench.clean()
    table(bench, part)
    shutil.rmtree(bench.path(part))
    for side in ends:
        shutil.rmtree(side.command[2])


def table(bench, part):
    """Prints a part's medians and ratios."""
    size = size_of(bench.path(part))
    print(f"\n{part}, {size / 1e6:.0f} MB, {bench.args.rounds} rounds\n\n| way | peer | wall s | CPU s | MiB | "
          "size | skrynia to it, wall | CPU | budget |\n|---|---|---|---|---|---|---|---|---|")
    for way in ("out", "in"):
        runs = bench.figures[part, way]
        for name, rows in runs.items():
            wall, cpu, memory, written = (statistics.median(column) for column in zip(*rows))
            ratios = ["", ""]
            if name in PEERS and "skrynia" in runs:
                ratios = [f"{statistics.median(a[i] / b[i] for a, b in zip(runs['skrynia'], rows)):.2f}" for i in (0, 1)]
            print(f"| {way} | {name} | {wall:.2f} | {cpu:.2f} | {f'{memory:.0f}' if memory else ''} | {written / size:.3f} | "
                  f"{ratios[0]} | {ratios[1]} | {BUDGETS.get((part, way, name), '')} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--records", type=int)
    parser.add_argument("--bytes", type=int, default=2_000)
    parser.add_argument("--media", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", action="append")
    parser.add_argument("--peer", action="append", help="skrynia, 'one core', small, " + ", ".join(PEERS))
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--dir", help="where everything stands; by default the system's temporary folder")
    args = parser.parse_args()
    args.records = args.records or (20_000 if args.quick else 100_000)
    args.media = args.media or (200 if args.quick else 1024)
    subprocess.run(["sh", "-c", f". {HERE}/../../cli/packages.sh && need {PACKAGES}"], check=False)
    bench = Bench(args)
    try:
        bench.make_keys()
        for part in args.part or ("text", "media"):
            run_part(bench, part)
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False)
        shutil.rmtree(bench.top)


if __name__ == "__main__":
    main()
