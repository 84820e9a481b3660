#!/usr/bin/env python3
"""The store beside plain SQLite and Debian's SQLCipher, in turn within one run.

usage: tests/bench/store.py [--records N] [--rounds N] [--size N] [--blobs MIB] [--part NAME ...] [--build DIR]

Parts, all by default: speedtest (SQLite's own, built from Debian's source package), fts5 (records with the
program's index; plain SQLite and ours), fts4 (the same with the index that Debian's sqlcipher has too), bytes
(1 GiB in and out), program (the whole path of core: forms, JSON, commitments, log, signatures).

Prints medians of CPU and wall seconds, and ratios of CPU to plain SQLite: the median of the ratios of runs
that followed each other. Build first: cmake --build build/dev --target bench. Packages: libsqlcipher-dev for
the peer, dpkg-dev for the source of speedtest1; a part whose package is missing is left out, and it says so.
"""
import argparse
import glob
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import sqlite_source  # noqa: E402

KEY = "07" * 32
BUDGETS = {("fts5", "bulk"): 1.2, ("fts5", "durable"): 1.5, ("fts5", "search"): 1.12, ("fts5", "point"): 1.8,
           ("speedtest", "rollback"): 2.1}
WORKS = ["bulk", "durable", "search", "point"]


class Bench:
    """Where things are, and what was measured."""

    def __init__(self, args):
        self.args = args
        self.top = tempfile.mkdtemp(prefix="skrynia-bench.", dir=args.dir)
        self.tests = os.path.join(args.build, "tests")
        self.figures = {}

    def program(self, peer):
        """The program that measures a peer, or None."""
        path = os.path.join(self.tests, "bench_store" + ("_sqlcipher" if peer == "sqlcipher" else ""))
        return path if os.path.exists(path) else None

    def note(self, part, work, peer, cpu, wall):
        """Keeps one run's figures."""
        self.figures.setdefault((part, work), {}).setdefault(peer, []).append((cpu, wall))

    def run(self, part, peer, work, place, count, keep=True, fts="5"):
        """One run of bench_store."""
        if work in ("bulk", "durable", "in"):
            shutil.rmtree(place, ignore_errors=True)
            if peer != "program":
                os.makedirs(place)
        out = subprocess.run([self.program(peer), peer, work, place, str(count)], check=True, text=True,
                             stdout=subprocess.PIPE, env={**os.environ, "SK_BENCH_FTS": fts}).stdout.split()
        if keep:
            self.note(part, work, peer, float(out[0]), float(out[1]))

    def table(self, part, base="plain"):
        """Prints a part's medians and ratios."""
        print(f"\n{part}\n\n| | peer | CPU s | wall s | CPU ratio | budget |\n|---|---|---|---|---|---|")
        for (name, work), peers in self.figures.items():
            if name != part:
                continue
            for peer, runs in peers.items():
                ratio = ""
                if base in peers and peer != base:
                    pairs = zip(runs, peers[base])
                    ratio = f"{statistics.median(a[0] / b[0] for a, b in pairs):.2f}"
                budget = BUDGETS.get((part, work), "") if peer == "skrynia" else ""
                cpu, wall = (statistics.median(run[i] for run in runs) for i in (0, 1))
                print(f"| {work} | {peer} | {cpu:.4f} | {wall:.4f} | {ratio} | {budget} |", flush=True)


def records(bench, part, peers, fts):
    """Records with a full-text index, and opening at 100,000."""
    count = bench.args.records
    peers = [peer for peer in peers if bench.program(peer)]
    for peer in peers:
        bench.run(part, peer, "bulk", os.path.join(bench.top, f"{part}-{peer}-large"), count * 5, False, fts)
    for number in range(bench.args.rounds):
        for work in WORKS + ["open"]:
            # The order turns, so that nobody always runs after the same one.
            for peer in peers[number % len(peers):] + peers[:number % len(peers)]:
                name = "large" if work == "open" else "durable" if work == "durable" else "bulk"
                size = count * 5 if work == "open" else count
                bench.run(part, peer, work, os.path.join(bench.top, f"{part}-{peer}-{name}"), size, True, fts)
    bench.table(part)


def byte_peers(bench):
    """A large attachment; the program's goes to a file of its own, the others' into the database."""
    peers = [peer for peer in ("plain", "program", "sqlcipher") if bench.program(peer)]
    for number in range(min(bench.args.rounds, 3)):
        for work in ("in", "out"):
            for peer in peers[number % len(peers):] + peers[:number % len(peers)]:
                bench.run("bytes", peer, work, os.path.join(bench.top, f"bytes-{peer}"), bench.args.blobs)
    for peer in peers:
        shutil.rmtree(os.path.join(bench.top, f"bytes-{peer}"), ignore_errors=True)
    bench.table("bytes")


def program(bench):
    """The program's whole path."""
    place = os.path.join(bench.top, "program")
    for _ in range(bench.args.rounds):
        for work in ("bulk", "search", "point", "open", "durable"):
            bench.run("program", "program", work, place, bench.args.records)
    bench.table("program")


def speedtest_setting(bench, peer):
    """The environment of one speedtest1."""
    if peer == "plain":
        return dict(os.environ), []
    library = os.path.join(bench.tests, "libsk_test_vfs.so")
    return {**os.environ, "LD_PRELOAD": library, "SK_TEST_VFS_NAME": "sealed", "SK_TEST_VFS_KEY": KEY,
            "SK_TEST_VFS_JOURNALS": "1"}, ["--vfs", "sealed"]


def speedtest(bench):
    """SQLite's own speed test through the VFS and without it; both must come to the same hash."""
    source = sqlite_source.fetch(os.path.join(bench.top, "source"))
    binary = os.path.join(bench.top, "speedtest1")
    if not source or not sqlite_source.build(source, "speedtest1", binary):
        print("\nspeedtest: left out, the source of SQLite was not to be had")
        return
    modes = {"rollback": [], "rollback, 32 MB": ["--cachesize", "8000"],
             "WAL, exclusive": ["--journal", "wal", "--exclusive"],
             "WAL, exclusive, 32 MB": ["--journal", "wal", "--exclusive", "--cachesize", "8000"]}
    for number in range(bench.args.rounds):
        for mode, options in modes.items():
            hashes = set()
            for peer in (("plain", "skrynia"), ("skrynia", "plain"))[number % 2]:
                path = os.path.join(bench.top, f"speedtest-{peer}")
                env, more = speedtest_setting(bench, peer)
                before = os.times()
                out = subprocess.run([binary, "--verify", "--size", str(bench.args.size), *options, *more, path],
                                     check=True, env=env, text=True, stdout=subprocess.PIPE).stdout
                after = os.times()
                bench.note("speedtest", mode, peer, after.children_user - before.children_user +
                           after.children_system - before.children_system, after.elapsed - before.elapsed)
                hashes.add(next(line for line in out.splitlines() if line.startswith("Verification")))
                for left in glob.glob(path + "*"):
                    os.remove(left)
            if len(hashes) != 1:
                sys.exit(f"speedtest, {mode}: the results differ")
    bench.table("speedtest")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=100, help="of speedtest1")
    parser.add_argument("--blobs", type=int, default=1024, help="MiB of the part bytes")
    parser.add_argument("--part", action="append")
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--dir", help="where databases stand; by default the system's temporary folder")
    bench = Bench(parser.parse_args())
    parts = {"speedtest": lambda: speedtest(bench),
             "fts5": lambda: records(bench, "fts5", ["plain", "skrynia"], "5"),
             "fts4": lambda: records(bench, "fts4", ["plain", "skrynia", "sqlcipher"], "4"),
             "bytes": lambda: byte_peers(bench), "program": lambda: program(bench)}
    try:
        if not bench.program("sqlcipher"):
            print("sqlcipher: left out, it was not built (package libsqlcipher-dev)")
        for name in bench.args.part or parts:
            parts[name]()
    finally:
        shutil.rmtree(bench.top)


if __name__ == "__main__":
    main()
