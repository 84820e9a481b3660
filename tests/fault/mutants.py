#!/usr/bin/env python3
"""Goal of this test: each finding about the store has a test that fails when its answer is taken out.

A mutant is a copy of one source file in which the answer to a finding is taken out by a small edit. It is
compiled alone, linked before the library that holds the original, and the named test is run with it: it
has to fail, and to pass without the edit. An edit that no longer fits the source fails too: then write it
anew for the source as it is now. A table says which test caught what.

    mutants.py [WORD ...]     those mutants alone whose name or finding holds a WORD
"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys
import tempfile

from mutants_list import MUTANTS

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ["SK_BUILD"]
TIMEOUT = 120
LAYERS = ["sync", "core", "crypto"]

COMMANDS = {os.path.relpath(row["file"], ROOT): shlex.split(row["command"])
            for row in json.load(open(os.path.join(BUILD, "compile_commands.json")))}

# Linked in: takes the one test to be run from the environment.
ONLY = """
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>
__attribute__((constructor)) static void only(void);
static void only(void)
{
    cmocka_set_test_filter(getenv("SK_ONLY"));
}
"""


def compile_file(source, path, out):
    """Compiles the file at `path` as if it were the project's `source`."""
    command = COMMANDS[source]
    place = command.index("-o")
    words = [word for i, word in enumerate(command)
             if i not in (place, place + 1, len(command) - 1)
             and word not in ("-Werror", "-MD", "-c") and not word.startswith("-O")]
    for option in ("-MT", "-MF"):
        at = words.index(option) if option in words else None
        if at is not None:
            del words[at:at + 2]
    subprocess.run([*words, "-O1", "-g0", "-w", "-c", path, "-o", out], check=True,
                   capture_output=True, text=True, cwd=BUILD)


def link(test, objects, out):
    """A test program of the build with `objects` in the place of the library's own."""
    layer, name = test.split("/")
    own = f"tests/CMakeFiles/test_{layer}_{name}.dir/unit/{layer}/test_{name}.c.o"
    libraries = [f"{part}/libsk_{part}.a" for part in LAYERS[LAYERS.index(layer):]]
    parts = {"sync": ["sync", "core"]}.get(layer, [layer])
    support = [f"tests/libsk_support_{part}.a" for part in parts]
    isal = ["-lisal"] if "sync/igzip.c" in COMMANDS else []
    subprocess.run([COMMANDS["core/vfs.c"][0], "-pie", *objects, own, *support, *libraries, "-o", out,
                    "-lsodium", "-ljansson", "-lsqlite3", "-lcmocka", "-lz", "-lm", *isal],
                   check=True, capture_output=True, text=True, cwd=BUILD)


def verdict(program, case):
    """"OK", "FAILED" or what else the run of one case says."""
    try:
        ran = subprocess.run([program], env={**os.environ, "SK_ONLY": case}, timeout=TIMEOUT,
                             capture_output=True, text=True, errors="replace",
                             cwd=os.path.join(ROOT, "tests"))
    except subprocess.TimeoutExpired:
        return "did not end"
    said = ran.stdout + ran.stderr
    if f"[  FAILED  ] {case}" in said or f"[  ERROR   ] {case}" in said:
        return "FAILED"
    if f"[       OK ] {case}" in said and ran.returncode == 0:
        return "OK"
    if f"[ RUN      ] {case}" in said and ran.returncode < 0:
        return f"FAILED (signal {-ran.returncode})"
    return f"exit code {ran.returncode}, {said[-300:]!r}"


def mutate(source, edits):
    """The text of a source file with the edits; each has to fit exactly once."""
    with open(os.path.join(ROOT, source), encoding="utf-8") as file:
        text = file.read()
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"fits {text.count(old)} times in {source}: {old!r}")
        text = text.replace(old, new)
    return text


def try_mutant(top, only, mutant):
    """What became of a mutant: None when it was caught, else words."""
    name = mutant["name"]
    place = os.path.join(top, name)
    os.mkdir(place)
    objects = [only]
    try:
        for i, (source, edits) in enumerate(mutant["edits"].items()):
            changed = os.path.join(place, f"{i}.c")
            with open(changed, "w", encoding="utf-8") as file:
                file.write(mutate(source, edits))
            objects.insert(0, os.path.join(place, f"{i}.o"))
            compile_file(source, changed, objects[0])
        program = os.path.join(place, "program")
        link(mutant["test"], objects, program)
    except ValueError as wrong:
        return f"the edit {wrong}"
    except subprocess.CalledProcessError as failed:
        return f"does not build: {failed.stderr[:2000]}"
    said = verdict(program, mutant["case"])
    return None if said.startswith("FAILED") else f"{mutant['case']}: {said}"


def try_original(top, only, test, cases):
    """Whether the cases pass as the source is; [] when all do."""
    program = os.path.join(top, test.replace("/", "-"))
    link(test, [only], program)
    return [f"{test} {case}, without an edit: {said}" for case in sorted(cases)
            if (said := verdict(program, case)) != "OK"]


def run(top, mutants):
    only = os.path.join(top, "only.o")
    with open(os.path.join(top, "only.c"), "w", encoding="utf-8") as file:
        file.write(ONLY)
    subprocess.run([COMMANDS["core/vfs.c"][0], "-fPIE", "-c", file.name, "-o", only], check=True)
    cases = {}
    for mutant in mutants:
        cases.setdefault(mutant["test"], set()).add(mutant["case"])
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        originals = [pool.submit(try_original, top, only, *item) for item in cases.items()]
        tried = [pool.submit(try_mutant, top, only, mutant) for mutant in mutants]
        for mutant, future in zip(mutants, tried):
            escaped = future.result()
            print(f"{mutant['finding']:<58} {mutant['name']:<28} {mutant['test']}: {mutant['case']}"
                  f" -> {'NOT CAUGHT' if escaped else 'caught'}", flush=True)
            if escaped:
                wrong.append(f"{mutant['name']}: {escaped}")
        for future in originals:
            wrong += future.result()
    return wrong


def main():
    words = sys.argv[1:]
    mutants = [mutant for mutant in MUTANTS
               if not words or any(word in mutant["name"] + mutant["finding"] for word in words)]
    with tempfile.TemporaryDirectory(prefix="skrynia-mutants.") as top:
        wrong = run(top, mutants)
    for line in wrong:
        print(line)
    print(f"{len(mutants)} mutants, {len(wrong)} problems")
    sys.exit(1 if wrong or not mutants else 0)


main()
