"""Goal of this test: what opens a store can be listed, added, removed and renewed, and nothing else opens it.

Slots of every kind, and what each command says about them; recovery words typed in any way, and with a slip;
warnings about what is easily guessed; new keys, after which the old `keys` with the old passphrase opens no
page and no media file, neither here nor for the second reader; every bit of `keys` flipped; an archive as well
as a documenter's store.
"""
import json
import os
import re
import shutil
import subprocess

from programs import (DAMAGED, MISSING, PASSPHRASE, REFUSED, SANITIZED, USAGE, WRONG_KEY, archive, check, device,
                      expected, files, main, read, run, write)

READERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader")
PYTHON = "/usr/bin/python3"  # that for which Debian packages python3-nacl
MARKER = "Пазначанае слова 71e0c3"


def slots(store, **more):
    """As "1 passphrase *, 2 recovery words", the star where the store was opened."""
    return ", ".join(f"{row['slot']} {row['kind']}{' *' if row['opened'] else ''}"
                     for row in store.json("slot", "list", **more))


def reader(script, top, line, *folders, after=()):
    """Runs a program of tests/reader with an empty folder for what it writes."""
    plain = os.path.join(top, "plain")
    shutil.rmtree(plain, ignore_errors=True)
    os.mkdir(plain)
    return subprocess.run([PYTHON, "-B", os.path.join(READERS, script), *folders, plain, *after],
                          check=False, input=line.encode() + b"\n", capture_output=True)


def read_store(store, top, line, *key_file):
    """What the second reader finds: None when nothing opens."""
    ran = reader("store.py", top, line, store.folder, after=key_file)
    if ran.returncode != 0:
        check(b"Damaged" in ran.stderr, f"the second reader ends with\n{ran.stderr.decode()}")
        return None
    return json.loads(ran.stdout)


def check_backups(store, ran):
    """Backups are spoken of where the program makes them, and there alone."""
    has = "backup" in run(store.program, "--help").out
    check(("backup" in ran.err) == has, f"{store.program}: {ran.err}")


def check_slots(store, top):
    """One after the other; ends with a passphrase in slot 1 and words in slot 2."""
    key = write(os.path.join(top, "key"), os.urandom(32))
    check(slots(store) == "1 passphrase *", slots(store))
    check(store("slot") == store("slot", "list") == "1  passphrase (opened the store now)", store("slot"))
    added = expected(store.run("slot", "add", "--recovery"), 0, ["slot add"])
    words = added.out.strip()
    check(re.fullmatch(r"([a-z]{4} ){11}[a-z]{4}", words), f"words: {added.out}")
    check_backups(store, added)
    check("slot 2 was added" in added.err and words not in added.err, added.err)
    again = store.json("slot", "add", "--recovery")
    check(again["slot"] == 3 and again["words"] != words, "the same words twice")
    store("slot", "add", "--new-passphrase-fd", "0", "--new-key-file", key, stdin="with a key file too\n")
    check(store.json("slot", "add", "--new-passphrase-fd", "0", stdin="somebody else's own\n") == {"slot": 5},
          "the number of a slot")
    all_five = "1 passphrase, 2 recovery words, 3 recovery words, 4 passphrase with key file, 5 passphrase"
    for line, options, number in ((PASSPHRASE, [], 1), (words, [], 2), (again["words"], [], 3),
                                  ("with a key file too", ["--key-file", key], 4),
                                  ("somebody else's own", [], 5)):
        ran = expected(store.run(*options, "slot", "--json", passphrase=line), 0, [line])
        opened = [row["slot"] for row in json.loads(ran.out) if row["opened"]]
        check(opened == [number], f"{line} opens slots {opened}")
        found = read_store(store, top, line, *options[1:])
        check(found and found["entries"] > 0, f"the second reader does not open by slot {number}")
    check(slots(store).replace(" *", "") == all_five, slots(store))
    for line, options in (("with a key file too", []), (words + " baba", []), (words[5:], [])):
        check(store.run(*options, "list", passphrase=line).code == WRONG_KEY, f"{line} opens the store")
        check(read_store(store, top, line) is None, f"{line} opens the store for the second reader")

    check_removal(store, words)
    check(slots(store) == "1 passphrase *, 2 recovery words", slots(store))
    for gone in (again["words"], "somebody else's own"):
        check(store.run("list", passphrase=gone).code == WRONG_KEY, "a removed slot opens the store")
    return words


def check_removal(store, words):
    """Slots 3 to 5 go; that which opened stays."""
    before = files(store.folder)
    for args, code, said in ((["1"], REFUSED, "is the one that opened the store now"),
                             (["6"], MISSING, "there is no slot 6"),
                             (["0"], USAGE, "a number from 1 to 8"), (["9"], USAGE, "a number from 1 to 8"),
                             (["x"], USAGE, "a number from 1 to 8"), ([], USAGE, "which slot?"),
                             (["3", "--recovery"], USAGE, "belong to 'slot add'"),
                             (["3", "4"], USAGE, "no more than")):
        ran = expected(store.run("slot", "remove", *args), code, ["slot remove", *args])
        check(said in ran.err and ran.out == "", f"slot remove {args}: {ran.err}")
    for args in (["drop"], ["list", "1"], ["add", "1"], ["add", "--recovery", "--new-passphrase-fd", "0"]):
        store("slot", *args, expect=USAGE)
    store("slot", "add", "--new-passphrase-fd", "0", stdin="\n", expect=USAGE)
    check(files(store.folder) == before, "what was refused changed something")
    store("slot", "remove", "2", passphrase=words, expect=REFUSED)
    for number in ("3", "4", "5"):
        ran = expected(store.run("slot", "remove", number), 0, ["slot remove"])
        check("that were made with it still open with it" in ran.err, ran.err)
        check_backups(store, ran)
        store("slot", "remove", number, expect=MISSING)


def check_typing(store, words):
    """Words in any case and spacing; a slip is named by its place alone."""
    numbered = " ".join(f"{n + 1}. {word}" for n, word in enumerate(words.split()))
    for line in (words.upper(), f"  {words} ", words.replace(" ", "   "), words.replace(" ", ", "),
                 words.replace(" ", "\t"), words.title(), numbered, words.replace(" ", "-"), words + "\r"):
        check(slots(store, passphrase=line).count("2 recovery words *") == 1, f"{line!r} does not open")
    parts = words.split()
    swapped = " ".join([parts[1], parts[0], *parts[2:]])
    cases = [("xxxx " + words[5:], "word 1 is not one of the list"),
             (words[:-4] + "qqqq", "word 12 is not one of the list"),
             (words[5:], "there are twelve"), (words + " " + parts[0], "there are twelve")]
    if parts[0] != parts[1]:
        cases.append((swapped, "twelve words of the list, but they do not open this store"))
    for line, said in cases:
        ran = expected(store.run("list", passphrase=line), WRONG_KEY, ["list"])
        check(said in ran.err, f"{line}: {ran.err}")
        told = re.findall(r"[a-z]+", ran.err)
        check(not set(parts) & set(told), f"a word is told: {ran.err}")


def check_change(store, top, words):
    """A forgotten passphrase gets a successor by the words; a change by the passphrase keeps them."""
    change = ["passphrase", "--new-passphrase-fd", "0"]
    ran = expected(store.run(*change, passphrase=words, stdin="this one will be kept in mind\n"), 0, change)
    check("the passphrase was changed" in ran.err and "made before still open" in ran.err, ran.err)
    check_backups(store, ran)
    check(store.run("list").code == WRONG_KEY, "the forgotten passphrase opens")
    store.passphrase = "this one will be kept in mind"
    check(slots(store) == "1 passphrase *, 2 recovery words", slots(store))
    # Where the words alone open it, there is no old passphrase to speak of.
    store("slot", "remove", "1", passphrase=words)
    store.passphrase = "nobody else thinks of this one"
    ran = expected(store.run(*change, passphrase=words, stdin=store.passphrase + "\n"), 0, change)
    check("a passphrase was added" in ran.err and "the old one" not in ran.err, ran.err)
    store(*change, stdin=PASSPHRASE + "\n")
    store.passphrase = PASSPHRASE
    check(slots(store, passphrase=words) == "1 passphrase, 2 recovery words *", "the words are gone")
    check(read_store(store, top, words) is not None, "the second reader does not open by the words")


def check_warnings(store, top):
    """What is easily guessed is warned about, and taken."""
    plain = ["passphrase", "--new-passphrase-fd", "0"]
    weak = {"short": "is very short", "a" * 40: "tried first", "password password": "tried first",
            "йцукенгшщзхъ": "tried first", "зфыыцщкв2020": "tried first", "24.08.1991 minsk": "tried first",
            "ЖывеБеларусь!": "tried first", "qwerty123456": "tried first",
            PASSPHRASE + "\r": "carriage return"}
    for line, said in weak.items():
        ran = expected(store.run(*plain, stdin=line + "\n"), 0, plain)
        check(said in ran.err and "warning: " in ran.err, f"{line!r}: {ran.err}")
        store.passphrase = line
        check("warning: th" not in store.run("list").err.replace("this store", ""), "warned at each opening")
    ran = expected(store.run("list", passphrase="not this\r"), WRONG_KEY, ["list"])
    check("carriage return" in ran.err, ran.err)
    for content, said in ((b"x" * 4096, "one byte over and over"), (b"0123456789", "shorter than 16 bytes")):
        file = write(os.path.join(top, "weak"), content)
        ran = expected(store.run(*plain, "--new-key-file", file, stdin=PASSPHRASE + "\n"), 0, plain)
        check(said in ran.err, ran.err)
        store.passphrase = PASSPHRASE
        expected(run(store.program, store.option, store.folder, "--no-input", "--key-file", file, *plain,
                     "--no-key-file", stdin=PASSPHRASE + "\n", passphrase=PASSPHRASE), 0, plain)
    ran = expected(store.run(*plain, stdin=PASSPHRASE + "\n"), 0, plain)
    check("warning: this passphrase" not in ran.err, f"a good one is warned about: {ran.err}")


def check_rekey(store, top, words):
    """New keys: the same passphrase and records, one slot, and an old `keys` that opens nothing."""
    before, dump = os.path.join(top, "before"), store.dump()
    shutil.copytree(store.folder, before)
    ran = expected(store.run("rekey"), 0, ["rekey"])
    check("slot 2 (recovery words)" in ran.err and "everything is under new keys" in ran.err, ran.err)
    check_backups(store, ran)
    check(store.dump() == dump and slots(store) == "1 passphrase *", "it holds something else")
    check(store.run("list", passphrase=words).code == WRONG_KEY, "a slot that was dropped opens the store")
    check(sorted(os.listdir(store.folder)) == ["data", "keys", "media"], f"left: {os.listdir(store.folder)}")
    found = read_store(store, top, PASSPHRASE)
    check(found and any(MARKER in json.dumps(text, ensure_ascii=False) for text in found["texts"]),
          "the second reader does not find the records")
    old, new = (sorted(os.listdir(os.path.join(place, "media"))) for place in (before, store.folder))
    check(len(old) == len(new) > 0 and not set(old) & set(new), "a media file kept its name")
    check_old_keys(store, before, top)
    check_half_done(store, before, top, dump)
    shutil.rmtree(before)


def count_opened(top, before, now):
    """Of pages and of media files of `now`, how many open with what `before` holds, and how many there are."""
    ran = reader("old_keys.py", top, PASSPHRASE, before, now)
    check(ran.returncode == 0, f"the second reader ends with\n{ran.stderr.decode()}")
    found = json.loads(ran.stdout)
    return found["pages"], found["media"]


def check_half_done(store, before, top, dump):
    """Between `keys` and the renaming, the new database counts: for the second reader and for the program."""
    half = os.path.join(top, "half")
    shutil.copytree(store.folder, half)
    os.rename(os.path.join(half, "data"), os.path.join(half, "data.next"))
    shutil.copyfile(os.path.join(before, "data"), os.path.join(half, "data"))
    folder, store.folder = store.folder, half
    found = read_store(store, top, PASSPHRASE)
    check(found and found["payloads"] > 50, "the second reader does not read data.next")
    check(store.dump() == dump and not os.path.exists(os.path.join(half, "data.next")), "data.next is not taken")
    store.folder = folder
    shutil.rmtree(half)


def check_old_keys(store, before, top):
    """Old `keys`, old passphrase, new files: nothing opens, and what is said is true."""
    (pages, all_pages), (media, all_media) = count_opened(top, before, before)
    check(pages == all_pages > 20 and media == all_media >= 3, f"the old keys open {pages} of {all_pages} pages and {media} of {all_media} media files that were theirs")
    (pages, all_pages), (media, all_media) = count_opened(top, before, store.folder)
    check(pages == media == 0 and all_pages > 20 and all_media >= 3,
          f"old keys open {pages} of {all_pages} pages and {media} of {all_media} media files")
    keys = os.path.join(store.folder, "keys")
    new = read(keys)
    shutil.copyfile(os.path.join(before, "keys"), keys)
    ran = expected(store.run("list"), DAMAGED, ["list"])
    check("another `keys`" in ran.err and ran.out == "", ran.err)
    check(read_store(store, top, PASSPHRASE) is None, "the second reader opens with old keys")
    write(keys, new)
    # Old media under new names, as whoever has both might try: they do not open under the new keys.
    media = os.path.join(store.folder, "media")
    names = sorted(os.listdir(media), key=lambda name: os.path.getsize(os.path.join(media, name)))
    others = sorted(os.listdir(os.path.join(before, "media")),
                    key=lambda name: os.path.getsize(os.path.join(before, "media", name)))
    kept = read(os.path.join(media, names[-1]))
    shutil.copyfile(os.path.join(before, "media", others[-1]), os.path.join(media, names[-1]))
    check(not json.loads(store.run("verify", "--json").out)["ok"], "an old media file opens")
    write(os.path.join(media, names[-1]), kept)
    check(store.json("verify")["ok"], "it does not verify any more")
    # The old state as a whole still opens as it did: that is what is said.
    whole = store.run("list", "--json")
    folder, store.folder = store.folder, before
    check(store.run("list", "--json").out == whole.out, "the copy does not open any more")
    store.folder = folder


def check_rekey_by_words(store):
    """The words that opened it stay; a passphrase is added again."""
    words = store("slot", "add", "--recovery")
    ran = expected(store.run("rekey", passphrase=words.upper()), 0, ["rekey"])
    check("the recovery words" in ran.err and "slot 1 (passphrase)" in ran.err, ran.err)
    check(store.run("list").code == WRONG_KEY, "the passphrase was dropped")
    store("slot", "add", "--new-passphrase-fd", "0", passphrase=words, stdin=PASSPHRASE + "\n")
    check(slots(store) == "1 recovery words, 2 passphrase *", slots(store))
    store("rekey")
    check(slots(store) == "1 passphrase *", slots(store))


def check_flips(store, words):
    """No bit of `keys` can be changed unnoticed, by a passphrase or by words."""
    path = os.path.join(store.folder, "keys")
    whole = read(path)
    for place in range(0, len(whole), 47 if SANITIZED else 7):
        write(path, whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1:])
        code = store.run("slot", passphrase=words if place % 2 else None).code
        check(code == DAMAGED, f"with byte {place} changed the code is {code}")
    write(path, whole)
    store("slot")


def check_memory(store, top):
    """New keys for a large attachment take no more memory than a list."""
    file = os.path.join(top, "large")
    with open(file, "wb") as out:
        out.truncate(60_000_000)
    store("attach", store.json("list")[0]["id"], file)
    least = store.run("list").memory
    ran = expected(store.run("rekey"), 0, ["rekey"])
    check(ran.memory < least + 20_000_000, f"rekey takes {ran.memory} bytes, list {least}")


def fill(store, top):
    first = store("add", "testimony", "--from", "-", stdin=json.dumps({"title": MARKER, "text": "слова " * 900}))
    for number, size in enumerate((0, 10, 3_000_000, 70_000)):
        store("attach", first, write(os.path.join(top, f"photo{number}"), os.urandom(size)))
    store("add", "testimony", "--from", "-",
          stdin="".join(json.dumps({"title": f"T{n}", "text": "слова " * 90}) + "\n" for n in range(50)))


def test(top):
    office = archive(os.path.join(top, "archive"))
    store = device(os.path.join(top, "store"), office)
    fill(store, top)
    bundle = os.path.join(top, "bundle")
    store("export", bundle)
    office("import", bundle)
    for place in (store, office):
        words = check_slots(place, top)
        check_typing(place, words)
        check_change(place, top, words)
        check_rekey(place, top, words)
        check_rekey_by_words(place)
    check_flips(store, store("slot", "add", "--recovery"))
    check_warnings(store, top)
    # The two still know each other.
    store("add", "event", "title=After the new keys")
    store("export", bundle + "2")
    office("import", bundle + "2")
    office("receipt", "birch", os.path.join(top, "reply"))
    store("receive", os.path.join(top, "reply"))
    check(len(office.json("list")) == len(store.json("list")), "the archive lacks a record")
    check_memory(store, top)


main(test)
