#!/usr/bin/env python3
"""Goal of this test: whatever is done to a bundle's bytes, it is refused whole and nothing changes.

One bundle is cut at 200 places, gets 200 single bits turned (50 of each with sanitizers), is lengthened, and
is swapped for files that are no bundles. Each ends with exit code 65 and words that say so; no byte of the
archive's files changes, so neither does what its program tells about it. The courier's check finds each of
them too, and the whole bundle is taken in at the end. The seed is printed: damage.py [SEED].
"""
import random
import os
import sys

from programs import DAMAGED, SANITIZED, archive, check, courier, device, files, main, read, write

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
CUTS = FLIPS = 50 if SANITIZED else 200


def cut(whole):
    """Every part of the header and the trailer, and places all over the file."""
    size = len(whole)
    places = {0, 1, 15, 16, 31, 32, 33, size - 1, size - 2, size - 16, size - 17, size // 2}
    while len(places) < CUTS:
        places.add(random.randrange(size))
    for place in sorted(places):
        yield f"cut to {place} of {size} bytes", whole[:place]


def flipped(whole):
    """The first and the last bits, the rest one in each of as many equal pieces."""
    bits = len(whole) * 8
    places = {0, 7, 8, bits - 1, bits - 8}
    pieces = FLIPS - len(places)
    places.update(random.randrange(bits * i // pieces, bits * (i + 1) // pieces)
                  for i in range(pieces))
    for place in sorted(places):
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        yield f"bit {place % 8} of byte {place // 8} turned", bytes(data)


def lengthened(whole):
    """Bytes put after, before and into the bundle."""
    for more in (b"\0", b"\n", bytes(16), random.randbytes(16), random.randbytes(70_000), whole):
        yield f"{len(more)} bytes appended", whole + more
    yield "a byte put before it", b"\0" + whole
    yield "a byte put into its middle", whole[:len(whole) // 2] + b"\0" + whole[len(whole) // 2:]


def exchanged(whole, other):
    """What is no bundle, and what is made of two."""
    half = len(whole) // 2
    yield "a file of zeros", bytes(len(whole))
    yield "a file of noise", random.randbytes(len(whole))
    yield "a file of text", "Гэта не скрутак.\n".encode() * 1000
    yield "the halves of two bundles", whole[:half] + other[half:]
    yield "two pieces of 64 KiB swapped", \
        whole[:65536] + whole[131072:196608] + whole[65536:131072] + whole[196608:]


def test(top):
    print(f"seed {SEED}")
    random.seed(SEED)
    to = archive(os.path.join(top, "archive"))
    by = device(os.path.join(top, "store"), to)
    # Something is in the archive already, so that there is something to change.
    by("add", "person", "title=Before", "name=Ганна Прыкладная")
    by("export", os.path.join(top, "first"))
    to("import", os.path.join(top, "first"))
    person = by("add", "person", "title=Inside", "name=Янка Выдуманы")
    case = by("add", "case", "title=The case of the lake")
    by("link", person, "accused-in", case)
    by("attach", person, write(os.path.join(top, "photo.jpg"), random.randbytes(200_000)))
    bundle = os.path.join(top, "bundle")
    code = by("export", bundle)
    by("export", os.path.join(top, "again"), "--all")
    whole = read(bundle)

    before, told = files(to.folder), to.dump()
    bad = os.path.join(top, "bad")
    count = 0
    for what, data in [*cut(whole), *flipped(whole), *lengthened(whole),
                       *exchanged(whole, read(os.path.join(top, "again")))]:
        write(bad, data)
        ran = to.run("import", bad)
        check(ran.code == DAMAGED, f"{what}: import ended with {ran.code}: {ran.err}")
        check(ran.err.count(bad) == 1 and "Nothing of this file was taken in" in ran.err,
              f"{what}: import says {ran.err}")
        check(ran.out == "", f"{what}: import prints {ran.out}")
        check(files(to.folder) == before, f"{what}: the archive's files changed")
        courier("check", "--code", code, bad, expect=DAMAGED)
        count += 1
    check(to.dump() == told, "the archive tells something else than before")

    # The failed ones do not stand in the way of the whole one, in one command or after it.
    ran = to.run("import", bad, bundle, "--json")
    check(ran.code == DAMAGED, "the worst exit code of several files")
    courier("check", "--code", code, bundle)
    after = to.dump()
    check(len(after["list"]) == 3 and after["verify"] == {"ok": True, "problems": []},
          "the whole bundle was not taken in")
    check(to.json("import", bundle)[0]["new"] == 0, "the same bundle again is nothing new")
    print(f"{count} damaged bundles refused, nothing changed")


main(test)
