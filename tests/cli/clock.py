#!/usr/bin/env python3
"""Goal of this test: a clock that is ten years ahead or behind changes no order and breaks nothing.

The programs run under libfaketime: records are added, edited, sent and answered while the clock jumps
forward and back between the commands, on both sides. Lists, histories and positions follow the log;
everything verifies under every clock; a receipt of an earlier date is not older for that. What the clock
says stands where it is a claim: in `recorded`.
"""
import datetime
import glob
import os
import sys

from programs import SANITIZED, archive, check, device, main, write

YEARS = 10
CLOCKS = {"now": 0, "ahead": YEARS, "behind": -YEARS}


def library():
    """The path of libfaketime, in Debian's places."""
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1") + glob.glob("/usr/lib/faketime/*.so.1")
    return found[0] if found else None


def at(clock):
    """How to run a program under that clock."""
    env = dict(os.environ)
    if CLOCKS[clock]:
        env.update(LD_PRELOAD=library(), FAKETIME=f"{CLOCKS[clock]:+d}y", FAKETIME_NO_CACHE="1")
    return {"env": env}


def year(clock):
    return datetime.datetime.now(datetime.timezone.utc).year + CLOCKS[clock]


def all_verify(stores):
    for store in stores:
        for clock in CLOCKS:
            check(store.json("verify", **at(clock))["ok"], f"{store.program} does not verify {clock}")


def record(store, top):
    """Events under every clock, in turn; returns their ids in order, with the clock of each."""
    made = []
    for clock in ["now", "ahead", "behind", "ahead", "now", "behind"]:
        made.append((store("add", "event", f"title=Number {len(made)}", **at(clock)), clock))
    first = made[0][0]
    for clock in ["ahead", "behind", "now"]:
        store("edit", first, f"title=Edited {clock}", **at(clock))
    store("link", made[1][0], "part-of", first, **at("behind"))
    store("attach", first, write(os.path.join(top, "a.txt"), "text"), **at("ahead"))
    return made


def check_order(store, made):
    """As recorded, whatever the clocks said, and under every clock."""
    expected = [row for row, _ in reversed(made)]
    for clock in CLOCKS:
        rows = store.json("list", **at(clock))
        check([row["id"] for row in rows] == expected, f"another order {clock}")
        shown = [store.json("show", row, **at(clock)) for row, _ in made]
        positions = [one["position"] for one in shown[1:]]
        check(positions == sorted(positions), f"positions {positions}")
        for one, (_, then) in list(zip(shown, made))[1:]:
            check(one["recorded"].startswith(str(year(then))), f"{one['recorded']} under {then}")
        history = store.json("history", made[0][0], **at(clock))
        check([one["rev"] for one in history] == [1, 2, 3, 4], f"history {history}")
        check([one["fields"]["title"] for one in history] ==
              ["Number 0", "Edited ahead", "Edited behind", "Edited now"], f"history {history}")
        check(shown[0]["fields"]["title"] == "Edited now", "the newest is not the last revision")


def carry(store, office, place, name, clocks):
    """A bundle and its receipt, each step under its own clock."""
    bundle, reply = os.path.join(place, name), os.path.join(place, name + ".reply")
    store("export", bundle, **at(clocks[0]))
    took = office.json("import", bundle, **at(clocks[1]))[0]
    check(took["error"] is None and took["gaps"] == [], f"import says {took}")
    office("receipt", "birch", reply, **at(clocks[2]))
    store("receive", reply, **at(clocks[3]))
    status = store.json("status", **at(clocks[0]))
    check(status["archives"][0]["acknowledged"] == [[0, status["size"]]], f"status says {status}")
    return status["size"]


def test(top):
    if SANITIZED:
        print("libfaketime and the sanitizers' own library exclude each other: not tried")
        return
    check(library(), "libfaketime is not installed")
    place = lambda *names: os.path.join(top, *names)
    office = archive(place("archive"))
    store = device(place("store"), office)
    made = record(store, top)
    check_order(store, made)
    carry(store, office, top, "first", ["ahead", "behind", "ahead", "now"])
    check_order(office, made)
    all_verify([store, office])

    # Receipts whose dates go back are still newer ones.
    size = 0
    for number, clocks in enumerate((["behind", "ahead", "behind", "behind"],
                                     ["now", "behind", "now", "ahead"],
                                     ["ahead", "now", "behind", "now"])):
        made.append((store("add", "event", "title=Later", **at(clocks[3])), clocks[3]))
        grown = carry(store, office, top, f"bundle{number}", clocks)
        check(grown > size, "nothing more was acknowledged")
        size = grown
    check_order(store, made)
    check_order(office, made)
    all_verify([store, office])

    # A store and an archive that are made under a wrong clock, with an invite from the future.
    other = archive(place("other"), name="Other")
    letter = place("letter")
    words = other("invite", "birch", letter, **at("ahead"))
    store("receive", letter, code=words, **at("behind"))
    bundle = place("for both")
    store("export", bundle, **at("behind"))
    check(other.json("import", bundle, **at("ahead"))[0]["error"] is None, "the second archive")
    check_order(other, made)
    all_verify([other])


if sys.platform != "linux":
    sys.exit("this test wants Linux")
main(test)
