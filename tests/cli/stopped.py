"""Goal of this test: a program that a signal ends in the middle of its work says what is kept, and ends by that
signal; nothing is lost; a terminal on which a passphrase was asked for shows what is typed again.
"""
import os
import signal
import subprocess

from programs import PASSPHRASE, archive, check, device, main, start
from tmux import Terminal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stopped(by, command, number, line=None, **popen):
    """Starts a command that waits for standard input with its store open, and sends the signal; how it ended, and
    what it said. The line comes after that, and standard input ends."""
    source, ours = os.pipe()
    with by.run(*command, how=start, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                **popen) as process:
        os.close(source)
        check(b"unlocks fast" in process.stderr.readline(), "it says when it is open")
        process.send_signal(number)
        if line:
            os.write(ours, line)
        os.close(ours)
        said = process.stderr.read().decode()
        return process.wait(), said


def ignored(number):
    """Options of a process that ignores the signal, as by nohup."""
    return {"preexec_fn": lambda: signal.signal(number, signal.SIG_IGN)}


def without_terminal(by, to):
    """Each signal, in commands that read and in commands that change."""
    whole = by.dump()
    for store, command, expected in (
            (by, ["search"], "Nothing that was there before was changed."),
            (by, ["add", "person", "--from", "-"], "Everything that was saved before is kept."),
            (to, ["search"], "Nothing that was there before was changed.")):
        for number in SIGNALS:
            code, said = stopped(store, command, number)
            check(code == -number, f"{command}: {number} ended it with {code}")
            check(f"{store.program}: stopped. {expected}" in said, f"{command}: {number} said {said!r}")
            check(said.endswith(".part stands beside one that was being written, delete it.\n"), said)
            check("\n\n" not in said, f"an empty line: {said!r}")
    check(by.dump() == whole, "a signal changed something")
    for number in SIGNALS:
        code, said = stopped(by, ["search"], number, b"Birch\n", **ignored(number))
        check(code == 0 and "stopped" not in said, f"{number}, which is ignored: {code} {said}")


def nobody_reads(by):
    """A signal ends it also where what it says is taken by nobody any more."""
    for number in SIGNALS:
        said, full = os.pipe()
        source, ours = os.pipe()
        with by.run("search", how=start, stdin=source, stdout=subprocess.DEVNULL, stderr=full) as process:
            check(b"unlocks fast" in os.read(said, 4096), "it says when it is open")
            os.set_blocking(full, False)
            try:
                while os.write(full, bytes(4096)) > 0:
                    pass
            except BlockingIOError:
                os.set_blocking(full, True)
            process.send_signal(number)
            try:
                code = process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                code = "nothing: it waits for a reader"
            check(code == -number, f"{number}, and nobody reads: it ended with {code}")
        for fd in (said, full, source, ours):
            os.close(fd)


def on_terminal(top, home):
    """A signal from elsewhere while a passphrase is asked for, and while a question is."""
    pid = os.path.join(top, "pid")
    with Terminal(top, home) as t:
        for number in SIGNALS:
            for answer in (None, PASSPHRASE):
                # A shell gives up the rest of its line when SIGINT ended what it waited for.
                t.type(f"sh -c 'echo $$ >{pid}; exec skrynia search'")
                t.wait(r"Passphrase: $")
                if answer:
                    t.type(answer)
                    t.wait(r"Search for: $")
                with open(pid, encoding="ascii") as file:
                    os.kill(int(file.read()), number)
                said = t.wait(r"Nothing was saved\.(.|\n)*\$ $")
                t.run("(exit $?)")
                code = t.finish()[1]
                check(code == 128 + number, f"{number}: {code} {said}")
                t.run("stty -a")
                said = t.finish()[0]
                check(" echo " in said and " icanon " in said, f"the terminal after {number}: {said}")


def test(top):
    home = os.path.join(top, "home")
    os.mkdir(home)
    to = archive(os.path.join(top, "archive"))
    by = device(os.path.join(home, "skrynia"), to)
    by("add", "person", "title=Birch")
    without_terminal(by, to)
    nobody_reads(by)
    on_terminal(top, home)
    check(by.json("verify")["ok"] and to.json("verify")["ok"], "verify at the end")


main(test)
