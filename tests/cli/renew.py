#!/usr/bin/env python3
"""Goal of this test: an archive renews its keys by the programs alone, and nothing is lost on the way.

Receipts carry the next keys; both sides show one safety number; bundles under the old keys still arrive until
the old keys are forgotten, which waits for every device unless it is told to leave some behind; what was left
behind is named, and refused with words. A `renew` that is killed has renewed or has not. On a terminal it asks.
"""
import os
import random
import shutil
import signal
import subprocess
import time

from programs import REFUSED, USAGE, Store, archive, check, device, expected, main, start
from tmux import Terminal


class Scene:
    """An archive and its devices."""

    def __init__(self, top):
        self.top, self.count = top, 0
        self.to = archive(self.at("archive"))
        self.devices = {name: device(self.at(name), self.to, alias=name) for name in ("birch", "pine")}

    def at(self, name):
        return os.path.join(self.top, name)

    def bundle(self, name, taken=True):
        """A record of a device on its way; imported unless it is to be late."""
        self.count += 1
        path = self.at(f"bundle{self.count}")
        self.devices[name]("add", "event", f"title=Падзея {self.count}")
        self.devices[name]("export", path)
        if taken:
            check(self.to.json("import", path)[0]["new"] == 1, f"{path} was not taken")
        return path

    def answer(self, name):
        """What `receive` says of a new receipt."""
        self.count += 1
        path = self.at(f"receipt{self.count}")
        self.to("receipt", name, path)
        return self.devices[name].json("receive", path)

    def look(self):
        return self.to.json("renew", "--look")

    def keys(self, name):
        return next(row for row in self.to.json("devices") if row["alias"] == name).get("keys")


def begins(scene):
    """Until the next keys are there."""
    to = scene.to
    for name in scene.devices:
        scene.bundle(name)
        scene.answer(name)
    to("renew", "--forget", "--look", expect=USAGE)
    to("renew", "--leave-devices-behind", expect=USAGE)
    ran = expected(to.run("renew", "--forget"), REFUSED, ["renew --forget"])
    check("there are no old keys to forget" in ran.err, ran.err)
    first = scene.look()
    check(first["renewed"] is None and first["not_taken"] == first["left_behind"] == [], f"look: {first}")
    late = scene.bundle("birch", taken=False)
    number = to.json("renew")["safety_number"]
    check(number != first["safety_number"] and len(number.split()) == 12, f"the number: {number}")
    look = scene.look()
    check(look["safety_number"] == number and look["renewed"], f"look: {look}")
    check(sorted(look["not_taken"]) == ["birch", "pine"], f"look: {look}")
    check(scene.keys("birch") == "not taken" and "has not taken the next keys" in to("devices"), "devices")
    ran = expected(to.run("renew"), REFUSED, ["renew"])
    check("the old ones are still here" in ran.err and "renew --look" in ran.err, ran.err)
    check(scene.look() == look, "a second renewal changed something")
    return late, number


def is_taken(scene, late, number):
    """By birch, whose bundle under the old keys comes late; and by nobody else."""
    to, by = scene.to, scene.devices["birch"]
    check("new_keys" not in by.json("status")["archives"][0], "status before")
    to("receipt", "birch", scene.at("told"))
    ran = expected(by.run("receive", scene.at("told")), 0, ["receive"])
    check(number in ran.out and "by voice" in ran.out.replace("\n  ", " "), f"receive, as text: {ran.out}")
    for shown in ran.out, by("status"):
        check(all(len(line) < 80 for line in shown.split("\n") if number in line or line[:2] == "  "),
              f"broken for a wide screen alone: {shown}")
    check(by.json("status")["archives"][0]["new_keys"] == number and number in by("status"), "status")
    check("new_keys" not in scene.answer("birch"), "it is told once")
    check(scene.keys("birch") == "not taken", "nothing has shown yet that it has them")
    to("rekey")  # the store's own keys, which are others
    scene.bundle("birch", taken=False)
    second = scene.at(f"bundle{scene.count}")
    check(to.json("import", second)[0]["gaps"], "the late one is a gap")
    check(scene.keys("birch") is None, "its bundle shows it")
    check(scene.look()["on_their_way"] == ["birch"] and "birch: 1 entry has not come" in to("renew", "--look"),
          "what may be on its way")
    check(to.json("import", late)[0]["new"] == 1, "the late one comes under the old keys")
    check(scene.look()["not_taken"] == ["pine"], f"look: {scene.look()}")


def is_forgotten(scene, number):
    """Pine is not heard of. It is left behind, and is told so when it comes."""
    to = scene.to
    late = scene.bundle("birch", taken=False)
    lost = scene.bundle("pine", taken=False)
    ran = expected(to.run("renew", "--forget"), REFUSED, ["renew --forget"])
    check("    pine\n" in ran.err and "1 device has not taken" in ran.err, ran.err)
    check("--leave-devices-behind" in ran.err, ran.err)
    to("revoke", "pine")
    check(scene.look()["not_taken"] == [] and "pine (revoked: not waited for)" in to("renew", "--look"), "revoked")
    check(to.json("renew", "--forget") == {"safety_number": number}, "forget")
    check(scene.look()["left_behind"] == ["pine"] and scene.look()["renewed"] is None, f"look: {scene.look()}")
    check(scene.keys("pine") == "forgotten" and "needs a new store, with a new invite" in to("devices"), "devices")
    check(to.json("import", late)[0]["new"] == 1, "what is sealed to the next keys")
    ran = expected(to.run("import", lost), REFUSED, ["import"])
    check("sealed to keys that this archive has forgotten" in ran.err, ran.err)
    ran = expected(to.run("receipt", "pine", scene.at("never")), REFUSED, ["receipt"])
    check("needs a new store" in ran.err and not os.path.exists(scene.at("never")), ran.err)
    letter = scene.at("letter")
    pine = Store("skrynia", scene.at("pine again"))
    scene.devices["pine"]("backup", scene.at("pine's backup"))
    pine("restore", scene.at("pine's backup"), "--insecure-test-kdf", "--invite", letter,
         code=to("invite", "pine again", letter))
    scene.devices["pine again"] = pine
    pine("export", scene.at("all of pine"))
    check(to.json("import", scene.at("all of pine"))[0]["new"] > 1, "the new store")
    check("new_keys" not in scene.answer("pine again"), "the invite had the new keys")


def goes_on(scene):
    """A second renewal, which leaves a device behind; birch has taken it."""
    to = scene.to
    first = scene.look()["safety_number"]
    for name in ("birch", "pine again"):
        scene.answer(name)
    number = to.json("renew")["safety_number"]
    check(number != first, "other keys")
    check(scene.answer("birch")["new_keys"] == number, "receive tells the number")
    scene.bundle("birch")
    scene.answer("birch")
    late = scene.bundle("pine again", taken=False)
    to("renew", "--forget", expect=REFUSED)
    to("renew", "--forget", "--leave-devices-behind")
    check(sorted(scene.look()["left_behind"]) == ["pine", "pine again"], f"look: {scene.look()}")
    to("import", late, expect=REFUSED)
    scene.bundle("birch")
    for store in (to, *scene.devices.values()):
        check(store.json("verify") == {"ok": True, "problems": []}, f"verify of {store.folder}")


def is_killed(top):
    """SIGKILL somewhere within renew and renew --forget: the one state or the other."""
    model, copy = archive(os.path.join(top, "model")), os.path.join(top, "copy")
    took, states = {}, set()
    for turn in range(10):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(model.folder, copy)
        to = Store("skrynia-receiver", copy)
        forget = turn % 2 == 1
        if forget:
            to("renew")
        before = to.json("renew", "--look")
        begin = time.monotonic()
        with to.run("renew", *["--forget"] * forget, how=start, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(random.uniform(0.3, 1) * took[forget] if forget in took else None)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        took.setdefault(forget, time.monotonic() - begin)
        after = to.json("renew", "--look")
        done = (after["renewed"] is None) == forget
        states.add((forget, done))
        check(after == before or done, f"killed: {before}, {after}")
        check(not forget or after["safety_number"] == before["safety_number"], "forgetting changes no key")
        check(to.json("verify")["ok"], "verify")
        if not done:
            to("renew", *["--forget"] * forget)
    check((False, True) in states and (True, True) in states, f"nothing came to its end: {states}")


def asks(top):
    """On a terminal both are asked for."""
    to = archive(os.path.join(top, "asked"))
    command = f"skrynia-receiver --archive {to.folder} --passphrase-fd 3 renew"
    give = f"3<<EOF\n{to.passphrase}\nEOF"
    with Terminal(top, top) as t:
        for options, word in (("", "renew"), (" --forget", "forget")):
            before = to.json("renew", "--look")
            for answer in ("no", word):
                t.type(f"{command}{options} {give}")
                t.wait(f"Type {word} to go on: $")
                t.type(answer)
                t.wait(r"\$ $")
                changed = to.json("renew", "--look") != before
                check(changed == (answer == word), f"answered {answer}: {changed}")


def test(top):
    scene = Scene(top)
    late, number = begins(scene)
    is_taken(scene, late, number)
    is_forgotten(scene, number)
    goes_on(scene)
    is_killed(top)
    asks(top)


main(test)
