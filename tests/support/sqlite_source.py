"""SQLite's source as Debian has it: its own test programs are not in any package."""
import glob
import os
import subprocess

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def fetch(place):
    """The folder of the source below `place`, fetched with apt settings of our own: the system's are left
    alone. None when it cannot be had."""
    for folder in ("lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(place, folder), exist_ok=True)
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            release = dict(line.strip().split("=", 1) for line in file if "=" in line)
        with open(os.path.join(place, "sources.list"), "w", encoding="utf-8") as file:
            file.write(f"deb-src [signed-by={KEYRING}] http://deb.debian.org/debian "
                       f"{release['VERSION_CODENAME']} main\n")
        options = []
        for option in (f"Dir::Etc::sourcelist={place}/sources.list", "Dir::Etc::sourceparts=/dev/null",
                       f"Dir::State::lists={place}/lists", f"Dir::Cache={place}/cache",
                       "Acquire::Languages=none", "Acquire::http::Timeout=20"):
            options += ["-o", option]
        for command in (["update"], ["source", "sqlite3"]):
            subprocess.run(["apt-get", "-q", *options, *command], cwd=place, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return glob.glob(os.path.join(place, "sqlite3-*/"))[0]
    except (OSError, KeyError, IndexError, subprocess.CalledProcessError):
        return None


def build(source, program, out):
    """Builds one of SQLite's test programs against the system's library; whether that went well."""
    files = {"speedtest1": ["test/speedtest1.c"], "kvtest": ["test/kvtest.c"],
             "mptest": ["mptest/mptest.c"], "threadtest3": ["test/threadtest3.c", "src/test_multiplex.c"]}
    command = ["cc", "-O2", "-w", "-I", "src", "-I", "test", "-o", out, *files[program], "-lsqlite3", "-lpthread",
               "-lm"]
    return subprocess.run(command, cwd=source, check=False, stderr=subprocess.DEVNULL).returncode == 0
