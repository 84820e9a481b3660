"""A terminal for tests: a tmux server of its own with one pane, in which a shell runs.

What the pane receives is kept byte for byte (`raw`), next to what a person sees (`screen`). Nothing waits
for a time: a wait ends when the awaited words have come, or fails after WAIT_S.
"""
import os
import re
import shlex
import subprocess
import time

from programs import BIN, Failure

WAIT_S = 60
COLUMNS, LINES = 100, 50


class Terminal:
    """To be used with `with`, so that the server ends."""

    def __init__(self, folder, home):
        self.log, self.seen = os.path.join(folder, "terminal.log"), 0
        self.command = ["tmux", "-u", "-f", "/dev/null", "-S", os.path.join(folder, "tmux")]
        shell = ["env", "-i", f"HOME={home}", f"PATH={BIN}:{os.environ['PATH']}", "LC_ALL=C.UTF-8",
                 "TERM=screen", "PS1=$ ", "sh", "-i"]
        # The shell waits for a line first, so that no byte of it is missed.
        self.tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES),
                  f"read line; exec {shlex.join(shell)}")
        self.tmux("pipe-pane", "-O", f"cat >{shlex.quote(self.log)}")
        self.press("Enter")
        self.wait(r"\$ $")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*self.command, "kill-server"], check=False, stderr=subprocess.DEVNULL)

    def tmux(self, *args):
        return subprocess.run([*self.command, *args], check=True, capture_output=True).stdout

    def raw(self):
        """Every byte that the pane has received."""
        try:
            with open(self.log, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def screen(self):
        """What a person sees, with colours and the like as escape sequences."""
        return self.tmux("capture-pane", "-p", "-e").decode()

    def type(self, text):
        """Types a line."""
        if text:
            self.tmux("send-keys", "-l", "--", text)
        self.press("Enter")

    def press(self, key):
        """Presses a key, such as C-c."""
        self.tmux("send-keys", key)

    def wait(self, pattern):
        """Waits until the pattern is found in what has come since the end of the last find; returns that up
        to its end, with lines that end in \\n."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            text = self.raw().decode(errors="replace").replace("\r\n", "\n")
            found = re.compile(pattern).search(text, self.seen)
            if found:
                begin, self.seen = self.seen, found.end()
                return text[begin:self.seen]
            time.sleep(0.01)
        raise Failure(f"{pattern!r} did not come; the screen shows\n{self.screen()}")

    def run(self, command):
        """Starts a command, whose end finish() awaits."""
        self.type(f"{command}; echo ended:$?")
        self.wait(r"ended:\$\?\n")

    def finish(self):
        """Waits for its end; returns what came since the last wait, and its exit code."""
        text = self.wait(r"ended:\d+\n(.|\n)*\$ $")
        return text, int(re.search(r"ended:(\d+)", text)[1])
