"""Goal of this test: what is printed with --json is whole, or is not there. When an allocation fails while it
is made, the command says so and prints nothing: no member is left out, no list is cut off. What fails behind it
is told too, and leaves it whole.

Each command is called once for each of the last allocations that it makes.
"""
import os

from full_disk_commands import World, build
from programs import check, main, read

FAMINE = os.environ["SK_FAMINE_LIBRARY"]
HEAP = 1
NO_MEMORY = 1
LAST = 160 if "SK_LONG" not in os.environ else 600


def prepare(top):
    """Both stores, with what makes the output have its rarer members."""
    world: World = build(top)
    record, _ = world.first()
    world.store("edit", record, "--from", world.at("record"))
    world.office("renew")
    world.office("receipt", "birch", world.at("stick/news"))
    world.store("receive", world.at("stick/news"))
    world.office("revoke", "birch", "--from", "0")
    world.office("receipt", "birch", world.at("stick/revoked"))
    world.store.run("receive", world.at("stick/revoked"))
    return world, record


def call(top, store, args, number):
    count = os.path.join(top, "count")
    famine = {"LD_PRELOAD": FAMINE, "SK_FAMINE": f"{HEAP} {number} 0", "SK_FAMINE_COUNT": count}
    ran = store.run(*args, "--json", env={**os.environ, **famine})
    return ran, int(read(count))


def test(top):
    world, record = prepare(os.path.join(top, "world"))
    refused = 0
    for store, args, member in (
            (world.store, ["history", record], "position"),
            (world.store, ["status"], "new_keys"),
            (world.office, ["list"], "revoked"),
            (world.office, ["show", record], "revoked"),
            (world.office, ["history", record], "revoked"),
            (world.office, ["devices"], "keys")):
        usual, count = call(top, store, args, 0)
        check(usual.code == 0 and f'"{member}"' in usual.out, f"{args}: {usual.out}{usual.err}")
        met = 0
        for number in range(max(1, count - LAST), count + 1):
            what = f"{store.program} {' '.join(args)} --json, allocation {number} of {count}"
            ran, _ = call(top, store, args, number)
            if ran.code == 0:  # it went on without
                check(ran.out == usual.out, f"{what}: not what it usually prints:\n{ran.out}\n{usual.out}")
                continue
            check(ran.code == NO_MEMORY and "memory" in ran.err, f"{what}: exit code {ran.code}\n{ran.err}")
            check(ran.out in ("", usual.out), f"{what}: it failed and prints {ran.out}")
            met += ran.out == ""
        check(met > 0, f"{args} met no famine")
        refused += met
    print(f"{refused} calls ended for want of memory")


main(test)
