#!/usr/bin/env python3
"""Goal of this test: SIGKILL at random moments of add, attach, edit, export and import loses nothing.

After each kill the store and the archive must open, verify, and hold everything whose command had ended
with exit code 0. The seed is printed, so that a run can be repeated: kill.py ROUNDS [SEED].
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = os.environ["SK_BIN"]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)


class Failure(Exception):
    """Something was lost, or does not open."""


def start(program, place, args, stdin=b"", code=None):
    """Starts a program with its passphrase (and code words) on pipes."""
    folder = "--store" if program == "skrynia" else "--archive"
    read, write = os.pipe()
    os.write(write, b"a passphrase for tests\n")
    os.close(write)
    fds = [read]
    command = [os.path.join(BIN, program), folder, place, "--passphrase-fd", str(read), "--no-input"]
    if code is not None:
        code_read, code_write = os.pipe()
        os.write(code_write, code.encode() + b"\n")
        os.close(code_write)
        fds.append(code_read)
        args = [*args, "--code-fd", str(code_read)]
    process = subprocess.Popen([*command, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, pass_fds=fds)
    for fd in fds:
        os.close(fd)
    process.stdin_bytes = stdin
    return process


def run(program, place, args, stdin=b"", code=None, expect=0):
    """Runs a program to its end and returns its standard output."""
    process = start(program, place, args, stdin, code)
    out, err = process.communicate(stdin)
    if process.returncode != expect:
        raise Failure(f"{program} {args[0]}: exit {process.returncode}: {err.decode()}")
    return out.decode()


def run_killed(program, place, args, stdin, after):
    """Runs a program and kills it after that many seconds. Returns its output if it ended before."""
    process = start(program, place, args, stdin)
    try:
        out, err = process.communicate(stdin, timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return None
    if process.returncode != 0:
        raise Failure(f"{program} {args[0]}: exit {process.returncode}: {err.decode()}")
    return out.decode()


class Scene:
    """A documenter's store and an archive, and what each has acknowledged."""

    def __init__(self, top):
        self.top = top
        self.store = os.path.join(top, "store")
        self.archive = os.path.join(top, "archive")
        self.bundles = 0
        self.waiting = []
        self.acknowledged = set()
        self.arrived = set()
        self.titles = {}
        self.attachments = {}
        self.took = {}
        self.file = os.path.join(top, "photo.jpg")
        with open(self.file, "wb") as out:
            out.write(random.randbytes(3_000_000))
        run("skrynia-receiver", self.archive, ["init", "--name", "Archive", "--insecure-test-kdf"])
        invite = os.path.join(top, "invite")
        words = run("skrynia-receiver", self.archive, ["invite", "birch", invite]).strip()
        run("skrynia", self.store, ["init", "--insecure-test-kdf", "--invite", invite], code=words)
        first = run("skrynia", self.store, ["add", "person", "title=First"]).strip()
        self.acknowledged.add(first)
        self.titles[first] = "First"

    def timed(self, name, program, place, args, stdin=b""):
        """The first run of each kind measures it; later ones are killed somewhere within."""
        if name not in self.took:
            begin = time.monotonic()
            out = run(program, place, args, stdin)
            self.took[name] = time.monotonic() - begin
            return out
        return run_killed(program, place, args, stdin, random.uniform(0, 1.1 * self.took[name]))

    def add(self):
        records = b"".join(
            json.dumps({"title": f"Record {i}", "text": "слова " * 150}).encode() + b"\n"
            for i in range(200))
        out = self.timed("add", "skrynia", self.store, ["add", "testimony", "--from", "-"], records)
        if out:
            self.acknowledged.update(out.split())

    def edit(self):
        victim = random.choice(sorted(self.titles))
        title = f"Edited {random.randrange(1 << 30)}"
        out = self.timed("edit", "skrynia", self.store, ["edit", victim, f"title={title}"])
        if out is not None:
            self.titles[victim] = title
        else:
            shown = json.loads(run("skrynia", self.store, ["show", victim, "--json"]))
            now = shown["fields"]["title"]
            if now not in (self.titles[victim], title):
                raise Failure(f"an edit left {now!r}")
            self.titles[victim] = now

    def attach(self):
        victim = random.choice(sorted(self.titles))
        out = self.timed("attach", "skrynia", self.store, ["attach", victim, self.file])
        if out:
            self.attachments[out.strip()] = victim

    def export(self):
        self.bundles += 1
        path = os.path.join(self.top, f"bundle{self.bundles}")
        self.timed("export", "skrynia", self.store, ["export", path])
        if os.path.exists(path):
            self.waiting.append(path)

    def import_(self):
        if not self.waiting:
            self.export()
        if not self.waiting:
            return
        path = self.waiting[0]
        out = self.timed("import", "skrynia-receiver", self.archive, ["import", path])
        if out is not None:
            self.waiting.pop(0)

    def check(self):
        """Both open, verify, and hold everything that was acknowledged."""
        for program, place in (("skrynia", self.store), ("skrynia-receiver", self.archive)):
            answer = json.loads(run(program, place, ["verify", "--json"]))
            if not answer["ok"]:
                raise Failure(f"{program} verify: {answer['problems']}")
        listed = {row["id"] for row in json.loads(run("skrynia", self.store, ["list", "--json"]))}
        if self.acknowledged - listed:
            raise Failure(f"{len(self.acknowledged - listed)} acknowledged records are gone")
        listed = {row["id"] for row in json.loads(run("skrynia-receiver", self.archive, ["list", "--json"]))}
        if self.arrived - listed:
            raise Failure(f"{len(self.arrived - listed)} imported records are gone")
        self.arrived = listed

    def finish(self):
        """At the end everything arrives, attachments included."""
        path = os.path.join(self.top, "last")
        run("skrynia", self.store, ["export", path, "--all"])
        run("skrynia-receiver", self.archive, ["import", path])
        self.check()
        if self.acknowledged - self.arrived:
            raise Failure("not everything reached the archive")
        for attachment in list(self.attachments)[:5]:
            out = os.path.join(self.top, "out.jpg")
            run("skrynia-receiver", self.archive, ["extract", attachment, out])
            with open(out, "rb") as a, open(self.file, "rb") as b:
                if a.read() != b.read():
                    raise Failure("an attachment changed on its way")
            os.unlink(out)


def main():
    print(f"seed {SEED}")
    random.seed(SEED)
    top = tempfile.mkdtemp(prefix="skrynia-kill.")
    try:
        scene = Scene(top)
        actions = [scene.add, scene.edit, scene.attach, scene.export, scene.import_]
        for action in actions:
            action()
        for number in range(ROUNDS):
            random.choice(actions)()
            if number % 4 == 3 or number > ROUNDS - 4:
                scene.check()
        scene.finish()
        print(f"{ROUNDS} kills, {len(scene.acknowledged)} records and {len(scene.attachments)} "
              "attachments acknowledged, none lost")
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"kill.py {ROUNDS} {SEED}: {failure}")
