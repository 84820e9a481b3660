"""What the tests of the three programs share: running them, and making a device and an archive.

A test is a function that takes an empty folder; `main(test)` gives it one and removes it after. Stores
are made with --insecure-test-kdf, so that a program starts in a few milliseconds.
"""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

BIN = os.environ["SK_BIN"]
SANITIZED = os.environ.get("SK_SANITIZE", "") != ""  # such programs are slow: a sample is enough of what repeats
PASSPHRASE = "a passphrase for tests"

# A command that every program is run by, such as strace with its options.
wrapper = []

USAGE, REFUSED, MISSING, CREATE, IO, BUSY, WRONG_KEY, CONFIG = 64, 65, 66, 73, 74, 75, 77, 78
DAMAGED = REFUSED


class Failure(Exception):
    """What the test looked for is not so."""


def check(holds, message):
    """A sentence for whoever reads the failure, and nothing when `holds`."""
    if not holds:
        raise Failure(message)


def pipe_with(line):
    """A descriptor from which one line can be read."""
    read, write = os.pipe()
    os.write(write, line.encode() + b"\n")
    os.close(write)
    return read


class Ran:
    """How a program ended: `code`, `out` and `err` as text, `memory` in bytes at its largest."""

    def __init__(self, code, out, err, memory):
        self.code, self.memory = code, memory
        self.out, self.err = out.decode(), err.decode()


def start(program, *args, passphrase=None, code=None, **popen):
    """Starts a program and returns its process; see run()."""
    command = [*wrapper, os.path.join(BIN, program)]
    fds = []
    if passphrase is not None:
        fds.append(pipe_with(passphrase))
        command += ["--passphrase-fd", str(fds[-1])]
    command += args
    if code is not None:
        fds.append(pipe_with(code))
        command += ["--code-fd", str(fds[-1])]
    process = subprocess.Popen(command, pass_fds=fds, **popen)
    for fd in fds:
        os.close(fd)
    return process


def run(program, *args, stdin=b"", passphrase=None, code=None, **popen):
    """Runs a program to its end. `passphrase` and `code` (an invite's words) come on descriptors; the
    second is the command's own option."""
    # Files, not pipes, so that no program waits for this one to read.
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out, \
            tempfile.TemporaryFile() as err:
        source.write(stdin.encode() if isinstance(stdin, str) else stdin)
        source.seek(0)
        popen = {"stdin": source, "stdout": out, "stderr": err, **popen}
        with start(program, *args, passphrase=passphrase, code=code, **popen) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Ran(process.returncode, out.read(), err.read(), usage.ru_maxrss * 1024)


def courier(*args, expect=0, **more):
    """Runs the courier's program, which has to end with that code; returns how it ended."""
    return expected(run("skrynia-courier", *args, **more), expect, args)


def expected(ran, code, args):
    """The same, after a look at the exit code."""
    check(ran.code == code, f"{' '.join(args)[:200]}: exit code {ran.code}, not {code}\n{ran.err}")
    return ran


class Store:
    """A documenter's store or an archive. Calling it runs a command of its program on it."""

    def __init__(self, program, folder, passphrase=PASSPHRASE):
        self.program, self.folder, self.passphrase = program, folder, passphrase
        self.option = "--store" if program == "skrynia" else "--archive"

    def run(self, *args, how=run, passphrase=None, **more):
        """Runs a command, however it ends; with how=start it is only started."""
        return how(self.program, self.option, self.folder, "--no-input", *args,
                   passphrase=passphrase or self.passphrase, **more)

    def __call__(self, *args, expect=0, **more):
        """Runs a command that has to end with that code; returns its output without the last newline."""
        return expected(self.run(*args, **more), expect, args).out.rstrip("\n")

    def json(self, *args, **more):
        """What a command prints with --json."""
        return json.loads(self(*args, "--json", **more))

    def dump(self):
        """Everything the programs tell about it: what must not change when something is refused."""
        records = self.json("list")
        chosen = sorted(row["id"] for row in records)[::8 if SANITIZED else 1]
        sample = [row for row in records if row["id"] in chosen]
        own = ["status"] if self.program == "skrynia" else ["devices", "quarantine"]
        return {
            "list": records,
            "show": [self.json("show", row["id"]) for row in sample],
            "history": [self.json("history", row["id"]) for row in sample],
            **{command: self.json(command) for command in [*own, "verify"]},
        }


def archive(folder, name="Archive", passphrase=PASSPHRASE):
    """A new archive."""
    made = Store("skrynia-receiver", folder, passphrase)
    made("init", "--name", name, "--insecure-test-kdf")
    return made


def device(folder, to=None, alias="birch", letter=None, words=None, passphrase=PASSPHRASE):
    """A new store; when an archive is given, with a new invite of it; or with the invite of a file."""
    made = Store("skrynia", folder, passphrase)
    if to is not None:
        letter = folder + ".invite"
        words = to("invite", alias, letter)
    if letter is None:
        made("init", "--insecure-test-kdf")
    else:
        made("init", "--insecure-test-kdf", "--invite", letter, code=words)
    return made


def files(folder):
    """The SHA-256 of every file below a folder, by its path there."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder)] = sha256(path)
    return found


def sha256(path):
    """Of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path, content):
    """Makes a file of text or bytes, and returns its path."""
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return path


def read(path):
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def can_trace():
    """Whether strace is here and may trace."""
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                              stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def main(test):
    """Runs the test in a folder of its own, which is removed also when the test is told to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    top = tempfile.mkdtemp(prefix="skrynia-test.")
    try:
        test(top)
    except Failure as failure:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {failure}")
    finally:
        shutil.rmtree(top)
