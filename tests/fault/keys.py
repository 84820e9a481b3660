#!/usr/bin/env python3
"""Goal of this test: SIGKILL at random moments of rekey, passphrase and slot shuts nobody out and loses nothing.

After each kill the store opens with what opened it (or, when a passphrase was being changed, with the old one or
the new one), holds every record and attachment, and nothing of an earlier `keys` opens what rekey has renewed.
The seed is printed, so that a run can be repeated: keys.py ROUNDS [SEED].
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from programs import DAMAGED, WRONG_KEY, Failure, check, device, read, sha256, start, write  # noqa: E402

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
RECORDS = 60


class Scene:
    """A store, what may open it, and what it holds."""

    def __init__(self, top):
        self.top, self.took, self.killed, self.interrupted, self.keys = top, {}, 0, 0, []
        self.store = device(os.path.join(top, "store"))
        lines = "".join(f'{{"title": "Record {n}", "text": "{"слова " * 200}"}}\n' for n in range(RECORDS))
        self.records = set(self.store("add", "testimony", "--from", "-", stdin=lines).split())
        first = sorted(self.records)[0]
        self.attachments = {}
        for size in (0, 1000, 300_000, 300_000, 4_000_000):
            file = write(os.path.join(top, "photo"), os.urandom(size))
            self.attachments[self.store("attach", first, file)] = sha256(file)
        self.words = self.store("slot", "add", "--recovery")

    def timed(self, name, *args, passphrase=None, line=None):
        """Runs a command to its end the first time; later it is killed somewhere within. Whether it ended."""
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        source = write(os.path.join(self.top, "line"), (line or "") + "\n")
        with open(source, "rb") as stdin, \
                self.store.run(*args, how=start, passphrase=passphrase, stdin=stdin, **options) as process:
            begin = time.monotonic()
            try:
                limit = random.uniform(0, 1.1 * self.took[name]) if name in self.took else None
                _, err = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                self.killed += 1
                return False
        self.took.setdefault(name, time.monotonic() - begin)
        check(process.returncode == 0, f"{args}: exit {process.returncode}: {err.decode()}")
        return True

    def rekey(self):
        """By the passphrase or by the words; what opened it opens it after."""
        by_words = self.words is not None and random.random() < 0.2
        old = read(os.path.join(self.store.folder, "keys"))
        line = self.words if by_words else self.store.passphrase
        self.timed("rekey", "rekey", passphrase=line)
        kinds = {row["kind"] for row in self.store.json("slot", passphrase=line)}
        if read(os.path.join(self.store.folder, "keys")) != old:
            self.keys.append(old)
        if by_words and "passphrase" not in kinds:
            self.store("slot", "add", "--new-passphrase-fd", "0", passphrase=line,
                       stdin=self.store.passphrase + "\n")
        if not by_words and "recovery words" not in kinds:
            self.words = None
        self.interrupted += "'rekey' was interrupted" in self.store.run("slot").err

    def passphrase(self):
        new = f"number {random.randrange(1 << 30)} of my own"
        if not self.timed("passphrase", "passphrase", "--new-passphrase-fd", "0", line=new):
            code = self.store.run("slot").code
            check(code in (0, WRONG_KEY), f"after a kill the code is {code}")
            if code == 0:
                return
        self.store.passphrase = new

    def slot(self):
        """Adds words, or removes a slot that did not open the store."""
        others = [row["slot"] for row in self.store.json("slot") if not row["opened"]]
        if others and (len(others) > 4 or random.random() < 0.5):
            number = str(random.choice(others))
            self.timed("remove", "slot", "remove", number)
        else:
            self.timed("slot", "slot", "add", "--new-passphrase-fd", "0", line="a passphrase of nobody")
        if self.words is None:
            self.words = self.store("slot", "add", "--recovery") if len(others) < 4 else None
        elif self.store.run("slot", passphrase=self.words).code != 0:
            self.words = None

    def check(self):
        """Everything is there; an old `keys` opens nothing of it."""
        answer = self.store.json("verify")
        check(answer["ok"], f"verify: {answer['problems']}")
        check({row["id"] for row in self.store.json("list")} == self.records, "records are gone")
        keys = os.path.join(self.store.folder, "keys")
        now = read(keys)
        for old in self.keys[-1:]:
            write(keys, old)
            code = self.store.run("list").code
            check(code in (DAMAGED, WRONG_KEY), f"with old keys the code is {code}")
        write(keys, now)

    def finish(self):
        self.store("rekey")
        self.check()
        check(sorted(os.listdir(self.store.folder)) == ["data", "keys", "media"], "something was left")
        check(len(os.listdir(os.path.join(self.store.folder, "media"))) == len(self.attachments),
              "media files were left or lost")
        for attachment, digest in self.attachments.items():
            out = os.path.join(self.top, "out")
            self.store("extract", attachment, out)
            check(sha256(out) == digest, "an attachment changed")
            os.unlink(out)


def main():
    print(f"seed {SEED}")
    random.seed(SEED)
    top = tempfile.mkdtemp(prefix="skrynia-keys.")
    try:
        scene = Scene(top)
        for _ in range(2):  # the first adds, so that there is something to remove
            scene.slot()
        actions = [scene.rekey, scene.rekey, scene.passphrase, scene.slot]
        for number in range(ROUNDS):
            random.choice(actions)()
            if number % 4 == 3 or number > ROUNDS - 4:
                scene.check()
        scene.finish()
        print(f"{ROUNDS} commands, {scene.killed} of them killed; {scene.interrupted} times new keys were left "
              "half done; nothing lost, nobody shut out")
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"keys.py {ROUNDS} {SEED}: {failure}")
