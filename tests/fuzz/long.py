#!/usr/bin/env python3
"""Runs the fuzz targets with libFuzzer, one on each core, and prints how many executions each had.

    long.py [--runs-inner N] [--runs-outer N] [--seconds S] [--seed N] [TARGET ...]
    long.py --keep [TARGET ...]

Wants the preset "fuzz" built. Corpora grow in build/fuzz/corpora; --keep merges them, by what they cover, into
those of the tree. A target that fails leaves its input in build/fuzz/found, and the exit code is 1.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import corpus

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "..", "build", "fuzz")
INNER, OUTER = 10_000_000, 1_000_000
LONGEST_KEPT = 4096  # bytes of an input that goes into the tree
MORE_MIB = 2048  # of a whole process, above what one run may take: sanitizers, and what they hold back


def table():
    """name: (kind, longest input, MiB a run may take)"""
    rows = {}
    with open(os.path.join(HERE, "targets.txt"), encoding="ascii") as file:
        for line in file:
            if line[0].islower():
                name, kind, longest, memory = line.split()[:4]
                rows[name] = (kind, int(longest), int(memory))
    return rows


def grown(target):
    return os.path.join(BUILD, "corpora", target)


def command(target, row, *options):
    _, longest, memory = row
    return [os.path.join(BUILD, "tests", f"fuzz_{target}"), f"-max_len={longest}", "-reload=0", "-timeout=120",
            f"-malloc_limit_mb={memory}", f"-rss_limit_mb={MORE_MIB + memory}", "-print_final_stats=1",
            f"-artifact_prefix={BUILD}/found/{target}-", *options]


def run(target, row, options):
    runs = options.runs_inner if row[0] == "inner" else options.runs_outer
    corpus.unpack(target, grown(target))
    # Where a store stays open, memory goes up and down from run to run: leaks are looked for at the end.
    how = [f"-runs={runs}", f"-seed={options.seed}", f"-detect_leaks={int(row[0] == 'inner')}"]
    log = os.path.join(BUILD, "found", target + ".log")
    environment = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=2"}
    begin = time.monotonic()
    with open(log, "wb") as file, subprocess.Popen(command(target, row, *how, grown(target)), stdout=file, stderr=file,
                                                   env=environment) as process:
        try:
            code = process.wait(options.seconds)
        except subprocess.TimeoutExpired:
            # A clock that stands still is part of some targets: libFuzzer cannot tell the time there.
            process.send_signal(signal.SIGUSR1)
            code = process.wait()
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    done = re.search(r"stat::number_of_executed_units: *(\d+)", text)
    cover = re.findall(r" cov: (\d+)", text)
    count = int(done.group(1)) if done else 0
    seconds = time.monotonic() - begin
    right = code == 0 and (options.seconds or count >= runs)
    print(f"{target:12} {row[0]} {count:>11,} executions in {seconds:8.0f} s, {int(count / max(seconds, 1)):>7,} a "
          f"second, {cover[-1] if cover else 0:>5} edges, {len(os.listdir(grown(target)))} inputs"
          f"{'' if right else f': FAILED, see {log}'}", flush=True)
    return count, right


def keep(target, row):
    into = os.path.join(BUILD, "kept", target)
    shutil.rmtree(into, ignore_errors=True)
    os.makedirs(into)
    corpus.unpack(target, grown(target))
    row = (row[0], min(row[1], LONGEST_KEPT), row[2])
    subprocess.run(command(target, row, "-set_cover_merge=1", "-use_counters=0", into, grown(target)),
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    print(f"{target:12} {corpus.keep(target, into)} inputs kept", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs-inner", type=int, default=INNER)
    parser.add_argument("--runs-outer", type=int, default=OUTER)
    parser.add_argument("--seconds", type=int, help="at most so long for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    rows = table()
    wanted = options.targets or sorted(rows, key=lambda name: rows[name][0], reverse=True)
    os.makedirs(os.path.join(BUILD, "found"), exist_ok=True)
    if options.keep:
        for target in wanted:
            keep(target, rows[target])
        return 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda target: run(target, rows[target], options), wanted))
    print(f"{sum(count for count, _ in results):,} executions of {len(results)} targets")
    return 0 if all(right for _, right in results) else 1


if __name__ == "__main__":
    sys.exit(main())
