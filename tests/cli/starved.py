"""Goal of this test: in each command of the programs each secret gets no memory, once and from then on, and
so do some of all other allocations. The command says so and changed nothing, and the same command succeeds
when it is called again. Where memory cannot be locked it warns, and does what it says.

The rows are those of full_disk_commands.py.
"""
import os
import shutil

from full_disk_commands import NEW_PASSPHRASE, World, build, call, check_rows, rows
from programs import check, main, read

FAMINE = os.environ["SK_FAMINE_LIBRARY"]
HEAP, SECRETS, LOCKS = 1, 2, 4
NO_MEMORY = 1
SOME = [1, 30, 1500] if "SK_LONG" not in os.environ else sorted({int(1.2 ** n) for n in range(45)})


class Trial:
    """One command, called again and again."""

    def __init__(self, template, top, row):
        self.template, self.top, self.count = template, top, top + ".count"
        self.program, self.name, _, self.args = row
        self.world, self.before, self.refused = None, None, 0

    def renew(self):
        """A world in which it was not called yet."""
        shutil.rmtree(self.top, ignore_errors=True)
        shutil.copytree(self.template.top, self.top)
        self.world = World(self.top)
        self.before = self.world.names()

    def call(self, kinds, number, lasting):
        """Calls it in a famine; how it ended, and how many allocations there were."""
        famine = {"LD_PRELOAD": FAMINE, "SK_FAMINE": f"{kinds} {number} {int(lasting)}",
                  "SK_FAMINE_COUNT": self.count}
        ran = call(self.world, self.program, self.name, self.args, env={**os.environ, **famine})
        return ran, int(read(self.count))

    def check_refused(self, ran, what):
        check(ran.code == NO_MEMORY, f"{what}: exit code {ran.code}\n{ran.err}")
        check("memory" in ran.err and ran.out == "", f"{what}: {ran.err}{ran.out}")
        left = self.world.names() - self.before
        if self.name == "rekey" or any(name.endswith(".mark") for name in left):
            self.world.told()  # what it had begun to write, and marks, go when the store is opened
        check(self.world.names() == self.before, f"{what}: {self.world.names() ^ self.before}")

    def fail_each(self, kinds, numbers, lasting):
        """Each of these fails; then the command is called as usual."""
        told = self.world.told()
        for number in numbers:
            what = f"{self.program} {self.name}, allocation {number} of kind {kinds}{' and all after it' * lasting}"
            ran, _ = self.call(kinds, number, lasting)
            if ran.code == 0:  # it went on without
                self.renew()
                continue
            self.check_refused(ran, what)
            self.refused += 1
        check(self.world.told() == told, f"{self.program} {self.name}: it failed and changed something")
        ran = call(self.world, self.program, self.name, self.args)
        check(ran.code == 0, f"{self.program} {self.name}, and again: {ran.code}\n{ran.err}")
        if self.name == "passphrase":
            (self.world.store if self.program == "skrynia" else self.world.office).passphrase = NEW_PASSPHRASE
        check(self.world.store.json("verify")["ok"] and self.world.office.json("verify")["ok"],
              f"{self.program} {self.name}: verify")

    def run(self):
        self.renew()
        ran, locks = self.call(LOCKS, 1, True)
        check(ran.code == 0, f"{self.program} {self.name} where nothing can be locked: {ran.code}\n{ran.err}")
        opens = self.program != "skrynia-courier" and self.name not in ("init", "restore", "repair")
        check(not opens or locks == 0 or "out of swap" in ran.err, f"{self.program} {self.name}: {ran.err}")
        for kinds in (SECRETS, HEAP):
            for lasting in (False, True):
                self.renew()
                _, count = self.call(kinds, 0, False)
                self.renew()
                self.fail_each(kinds, range(1, count + 1) if kinds == SECRETS else
                               [number for number in SOME if number <= count], lasting)
        return self.refused


def test(top):
    check_rows()
    template = build(os.path.join(top, "template"))
    total = 0
    for row in rows():
        refused = Trial(template, os.path.join(top, "world"), row).run()
        check(refused > 0 or row[0] == "skrynia-courier", f"{row[0]} {row[1]} met no famine")
        total += refused
    print(f"{total} calls ended for want of memory")


main(test)
