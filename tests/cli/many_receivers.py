"""Goal of this test: 16 receivers at once, and a watch beside them, import the same and different bundles of
several devices into one archive, in random orders, damaged ones among them; each entry is there once, and
the archive and its receipts are those of an archive that took one bundle after the other.
"""
import json
import os
import random
import shutil
import subprocess
import tempfile

from programs import (MISSING, REFUSED, Store, archive, check, device, main, read, start, write)
from watcher import Watcher

RECEIVERS, WAIT_S = 16, 300
SEED = os.environ.get("SK_SEED") or str(random.randrange(1 << 32))


class Scene:
    """An archive that has invited four devices; `whole`: their bundles by path, with their numbers of
    entries; `bad`: copies that are damaged."""

    def __init__(self, at):
        self.at, self.whole, self.bad = at, {}, []
        self.office = archive(at("archive"))
        self.devices = {}
        for alias in ("birch", "pine", "alder"):
            self.devices[alias] = device(at(alias), self.office, alias)
        # Two stores under one invite: which of them is enrolled is settled before they meet. They have
        # the same keys, so the one sends the first bundle and the other the later ones.
        letter = at("letter")
        words = self.office("invite", "stork", letter)
        self.devices["stork"], second = (device(at(name), letter=letter, words=words) for name in ("one", "two"))
        self.carries("stork", 1)
        self.office("import", *self.whole)
        for alias, count in (("birch", 4), ("pine", 3), ("alder", 2)):
            for number in range(count):
                self.carries(alias, 1 + number % 2)
        self.waits = [self.export(second, "two", 1) for _ in range(3)][1:]
        self.loses("pine", 1)
        for path in list(self.whole)[1::3]:
            self.spoil(path)

    def export(self, by, name, count):
        for number in range(count):
            by("add", "testimony", "--from", "-", stdin=json.dumps({"title": f"{name} {number}", "text": "слова " * 50}))
        path = self.at(f"{name}.{len(os.listdir(os.path.dirname(self.at(''))))}")
        by("export", path)
        return path

    def carries(self, alias, count):
        self.whole[self.export(self.devices[alias], alias, count)] = count

    def loses(self, alias, which):
        """A bundle that never arrives: a gap."""
        del self.whole[[path for path in self.whole if os.path.basename(path).startswith(alias + ".")][which]]

    def spoil(self, path):
        """A bit of it changed, far behind the header; and the half of it."""
        content = bytearray(read(path))
        content[200_000] ^= 4
        self.bad += [write(path + ".flipped", content), write(path + ".cut", content[:len(content) // 2])]


def orders(scene, rng):
    """What each receiver is given, and the exit code that it ends with."""
    whole, given = [*scene.whole, *scene.waits], []
    for number in range(RECEIVERS):
        files = list(whole) if number % 2 == 0 else rng.sample(whole, rng.randrange(1, len(whole)))
        code = 0
        if number % 4 >= 2:
            files += rng.sample(scene.bad, 2)
            code = REFUSED
        if number % 8 == 3:
            files.append(scene.at("nothing"))
            code = MISSING
        rng.shuffle(files)
        given.append((files, code))
    return given


def ended(process, out, err, count, code):
    """Waits for one receiver; its rows."""
    process.wait()
    with out, err:
        out.seek(0)
        err.seek(0)
        check(process.returncode == code,
              f"a receiver ended with {process.returncode}, not {code}: {err.read().decode()}")
        told = json.load(out)
    check(len(told) == count, f"{count} files, and {len(told)} are told of")
    return told


def at_once(scene, rng):
    """Every row that a receiver or the watch printed."""
    inbox, rows, running = scene.at("inbox"), [], []
    os.mkdir(inbox)
    for path in scene.whole:
        shutil.copy(path, inbox)
    watcher = Watcher(scene.office, inbox, "--json")
    watcher.hear("watching")
    for files, code in orders(scene, rng):
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        process = scene.office.run("--wait", str(WAIT_S), "import", "--json", *files, how=start,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        running.append((process, out, err, len(files), code))
    try:
        for receiver in running:
            rows += ended(*receiver)
    finally:
        for process, *_ in running:
            process.kill()  # after a failure; it does nothing where the process has ended
            process.wait()
    rows += [watcher.told() for _ in scene.whole]
    check(watcher.end() == [], "the watch told of a file twice")
    return rows


def each_once(scene, rows):
    """Each bundle's entries were new to one of them; the damaged ones to none."""
    new = {os.path.basename(path): 0 for path in [*scene.whole, *scene.waits]}
    for row in rows:
        name = os.path.basename(row["file"])
        if name in new:
            check(row["error"] is None, f"{row}")
            new[name] += row["new"]
        else:
            check(row["error"] in ("damaged", "refused", "missing") and row["new"] == 0, f"{row}")
    first = next(iter(scene.whole))
    want = {os.path.basename(path): 0 if path == first else count for path, count in scene.whole.items()}
    want |= {os.path.basename(path): 0 for path in scene.waits}
    check(new == want, f"new: {new}, not {want}")


def told_by(store):
    """What an archive tells, without the order in which it came."""
    told = {command: store.json(command) for command in ("list", "devices", "quarantine", "verify")}
    shown = [store.json("show", row["id"]) for row in told["list"]]
    by_row = lambda rows: sorted(json.dumps(row, sort_keys=True) for row in rows)
    waiting = [{key: value for key, value in row.items() if key != "id"} for row in told["quarantine"]]
    return by_row(shown), by_row(told["list"]), by_row(told["devices"]), by_row(waiting), told["verify"]


def receipts(scene, store, name):
    """What each device makes of its receipt: what is printed, and its status then."""
    said = {}
    for alias, by in scene.devices.items():
        copy = Store(by.program, scene.at("copy"))
        shutil.copytree(by.folder, copy.folder)
        store("receipt", by.json("status")["log"], scene.at(f"{name}.{alias}"))
        said[alias] = copy("receive", scene.at(f"{name}.{alias}")), copy.json("status")
        shutil.rmtree(copy.folder)
    return said


def test(top):
    at = lambda name: os.path.join(top, name)
    rng = random.Random(SEED)
    scene = Scene(at)
    alone = Store(scene.office.program, at("alone"))
    shutil.copytree(scene.office.folder, alone.folder)
    each_once(scene, at_once(scene, rng))
    for path in [*scene.whole, *scene.waits]:
        alone("import", path)
    check(alone.json("verify")["ok"] and scene.office.json("verify")["ok"], "verify")
    total = sum(scene.whole.values())
    check(len(scene.office.json("list")) == total, f"{len(scene.office.json('list'))} records, not {total}")
    check(told_by(scene.office) == told_by(alone), "16 at once end in another state than one after the other")
    ours, theirs = receipts(scene, scene.office, "at once"), receipts(scene, alone, "alone")
    check(ours == theirs, f"the receipts differ: {ours}, not {theirs}")
    gaps = [row["wanted"] for _, status in ours.values() for row in status["archives"] if row["wanted"]]
    check(len(gaps) == 1, f"one device lacks a bundle: {ours}")
    check(len(scene.office.json("quarantine")) == len(scene.waits), "what has to wait does not")


try:
    main(test)
except SystemExit as end:
    raise SystemExit(f"{end} (SK_SEED={SEED})" if end.code else end.code)
