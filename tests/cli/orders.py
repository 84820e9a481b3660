#!/usr/bin/env python3
"""Goal of this test: bundles that are lost, repeated or come in another order change nothing in the end.

Two devices and two archives. Three bundles in each of the six orders: a gap is named by import, by the
receipt and by the documenter's status, and is closed by what comes later; every order ends in the same. One
bundle serves both archives; the same one again is nothing new. A lost one is asked for and sent again; an
older receipt changes nothing; an archive that is invited late gets everything.
"""
import itertools
import os
import shutil

from programs import REFUSED, Store, archive, check, device, files, main


def state_of(store, alias):
    """What a device's archive tells, apart from the order in which things came."""
    told = store.dump()
    return ({row["id"]: row for row in told["show"] if row["device"] == alias},
            {row["alias"]: row for row in told["devices"]}, told["verify"], told["quarantine"])


def three_bundles(by, at):
    """Two entries in each; the second edits what the first brought, the third links and attaches."""
    person = by("add", "person", "title=First")
    by("add", "case", "title=Case")
    by("export", at("b1"))
    by("edit", person, "title=Edited")
    event = by("add", "event", "title=Event")
    by("export", at("b2"))
    by("link", person, "victim-of", event)
    by("attach", event, __file__)
    by("export", at("b3"))


def gap_is_named_and_closed(one, by, at):
    """3, 1, 2, as the archive and the documenter see it."""
    of_one = lambda: next(row for row in by.json("status")["archives"] if row["name"] == "One")

    def answer(number):
        one("receipt", "birch", at(f"reply{number}"))
        return by("receive", at(f"reply{number}"))

    check(of_one() == {"name": "One", "acknowledged": [], "exported": [[0, 6]], "unexported": [],
                       "wanted": []}, f"at first {of_one()}")
    said = one("import", at("b3"))
    check("2 new" in said and "missing before it: 0-3" in said, f"import says {said}")
    said = answer(1)
    check("2 entries of this store have arrived. 4 are asked for again" in said, f"receive: {said}")
    check(of_one() == {"name": "One", "acknowledged": [[4, 6]], "exported": [],
                       "unexported": [[0, 4]], "wanted": [[0, 4]]}, f"after 3 {of_one()}")
    check("asked for again:   0-3  (4 entries)" in by("status"), by("status"))
    said = one("import", at("b3"))
    check("imported before" in said and "missing before it: 0-3" in said, f"again: {said}")

    told = one.json("import", at("b1"))[0]
    check((told["new"], told["gaps"]) == (2, [[2, 4]]), f"import tells {told}")
    answer(2)
    check(of_one()["acknowledged"] == [[0, 2], [4, 6]] and of_one()["wanted"] == [[2, 4]],
          f"after 1 {of_one()}")

    told = one.json("import", at("b2"))[0]
    check((told["new"], told["gaps"]) == (2, []), f"import tells {told}")
    check(answer(3) == "Receipt 3 from One: 6 entries of this store have arrived.", "the last receipt")
    full = of_one()
    check(full == {"name": "One", "acknowledged": [[0, 6]], "exported": [], "unexported": [],
                   "wanted": []}, f"after 2 {full}")
    for reply in ("reply1", "reply3"):
        check("was taken before; the newest is receipt 3" in by("receive", at(reply)), "an old receipt")
    check(of_one() == full, "an old receipt changed something")
    check(one("import", at("reply3"), expect=REFUSED) == "", "a receipt is no bundle")
    by("receive", at("b1"), expect=REFUSED)
    by("export", at("nothing"))
    check(not os.path.exists(at("nothing")), "an export of nothing made a file")


def every_order_ends_the_same(two, at):
    """Each order into a copy of the archive, the last one of them with repeats."""
    ends = []
    for order in itertools.permutations(("b1", "b2", "b3")):
        copy = Store(two.program, at("copy"))
        shutil.copytree(two.folder, copy.folder)
        told = copy.json("import", *(at(name) for name in order + order))
        check([row["new"] for row in told] == [2, 2, 2, 0, 0, 0], f"{order}: {told}")
        check(told[2]["gaps"] == [] and all(row["error"] is None for row in told), f"{order}: {told}")
        ends.append(state_of(copy, "alder"))
        check(ends[-1] == ends[0], f"{order} ends in another state")
        shutil.rmtree(copy.folder)
    return ends[0]


def lost_for_one_of_two_archives(one, two, by, other, at):
    """What one archive has lost is sent again, that alone, to both; each takes what it does not have."""
    by("add", "testimony", "title=Lost", "text=Згублена")
    by("export", at("b4"))
    two("import", at("b4"))
    by("add", "testimony", "title=Last", "text=Апошняе")
    by("export", at("b5"))
    check(one.json("import", at("b5"))[0]["gaps"] == [[6, 7]], "the lost one is missing")
    # Another device's bundles do not get in the way.
    check("bundle 1 of pine: 1 new" in one("import", at("other")), "the second device")
    one("receipt", "birch", at("reply"))
    by("receive", at("reply"))
    os.unlink(at("b4"))
    by("export", at("b6"))
    for place, new in ((one, 1), (two, 0)):
        told = place.json("import", at("b6"))[0]
        check((told["new"], told["known"], told["gaps"]) == (new, 1 - new, []), f"the lost one: {told}")
    check(two.json("import", at("b5"))[0]["new"] == 1, "what the other archive had first")
    check([row["size"] for row in one.json("devices")] == [8, 1], "two devices at one archive")
    one("receipt", "pine", at("reply to pine"))
    by("receive", at("reply to pine"), expect=REFUSED)
    other("receive", at("reply to pine"))
    check(other.json("status")["archives"][0]["acknowledged"] == [[0, 1]], "the second device's receipt")


def test(top):
    at = lambda name: os.path.join(top, name)
    one, two = archive(at("one"), "One"), archive(at("two"), "Two")
    by, other = device(at("store"), one, "birch"), device(at("second"), one, "pine")
    words = two("invite", "alder", at("letter"))
    check(by("receive", at("letter"), code=words) ==
          "This store now also sends to the archive Two.", "a second archive")
    three_bundles(by, at)
    other("add", "person", "title=Of the second device")
    other("export", at("other"))

    gap_is_named_and_closed(one, by, at)
    wanted, before = every_order_ends_the_same(two, at), files(two.folder)
    check(two("import", at("other"), expect=REFUSED) == "" and files(two.folder) == before,
          "a bundle for another archive")
    two("import", at("b2"), at("b3"), at("b1"))
    check(state_of(two, "alder") == wanted, "the second archive ends in another state")
    lost_for_one_of_two_archives(one, two, by, other, at)

    # A third archive knows nothing yet: the next export begins at the beginning.
    three = archive(at("three"), "Three")
    words = three("invite", "lime", at("late letter"))
    by("receive", at("late letter"), code=words)
    check("to be exported:    0-7  (8 entries)" in by("status"), by("status"))
    by("export", at("b7"))
    for place, new in ((one, 0), (two, 0), (three, 8)):
        check(place.json("import", at("b7"))[0]["new"] == new, "one bundle for three archives")
    check(len({str(sorted(row["id"] for row in place.json("list") if row["device"] != "pine"))
               for place in (one, two, three)}) == 1, "three archives hold the same")
    for store in (one, two, three, by, other):
        check(store.json("verify")["ok"], "all verify")


main(test)
