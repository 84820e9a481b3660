"""A program that watches a folder, for the tests of the three programs: what it prints and says, as it comes."""
import atexit
import json
import os
import queue
import signal
import subprocess
import threading

from programs import check, start

PATIENCE = 120  # seconds until something is taken as lost; nothing waits that long unless it fails


class Watcher:
    """A program that watches; its lines of output and what it says are read as they come."""

    def __init__(self, office, folder, *options, **popen):
        self.process = office.run(*options, "watch", folder, how=start, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)
        atexit.register(self.process.kill)  # after a failure; it does nothing where the process has ended
        self.lines, self.said = queue.Queue(), queue.Queue()
        self.heard = []
        for stream, to in ((self.process.stdout, self.lines), (self.process.stderr, self.said)):
            threading.Thread(target=self._pump, args=(stream, to), daemon=True).start()

    @staticmethod
    def _pump(stream, to):
        for line in stream:
            to.put(line.decode().rstrip("\n"))
        to.put(None)

    def _take(self, source):
        try:
            line = source.get(timeout=PATIENCE)
        except queue.Empty:
            line = "nothing"
        check(line is not None and line != "nothing", f"it ended or fell silent; it said {self.heard}")
        return line

    def hear(self, words):
        """Waits until it says something with these words."""
        while True:
            line = self._take(self.said)
            self.heard.append(line)
            if words in line:
                return line

    def line(self):
        """The next line of its output."""
        return self._take(self.lines)

    def told(self):
        """The next file it tells of, with --json."""
        return json.loads(self.line())

    def taken(self, name, new):
        """The next file is this one, and so many of its entries were new."""
        row = self.told()
        check((os.path.basename(row["file"]), row["new"], row["error"]) == (name, new, None),
              f"not {name} with {new} new entries: {row}; {self.heard}")
        return row

    def end(self, number=signal.SIGTERM):
        """Ends it; what it said, and what it printed that nobody took."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        for source, kept in ((self.said, self.heard), (self.lines, rest := [])):
            while (line := source.get(timeout=PATIENCE)) is not None:
                kept.append(line)
        check(code == -number, f"{number} ended it with {code}: {self.heard}")
        check(any("stopped. Everything that was saved before is kept." in line for line in self.heard),
              f"it does not say what is kept: {self.heard}")
        check(not any(".part" in line or "before you do this again" in line for line in self.heard),
              f"it speaks of a file that was being written, where it writes none: {self.heard}")
        return rest
