#!/usr/bin/env python3
"""Goal of this test: a store that does not open is left exactly as it is, and the reason is told.

Every command with a wrong passphrase, a wrong or missing key file (77), while another program has the store
open (75), with files of a newer version or of the other kind of store (78), and with damaged or missing
files: nothing is printed as a result, and no byte of the folder changes. The ways to give a passphrase, the
change of it, and --wait.
"""
import hashlib
import os
import re
import subprocess

from programs import (BUSY, CONFIG, DAMAGED, MISSING, USAGE, WRONG_KEY, Store, archive, check, device, expected,
                      files, main, read, run, start, write)

ID = "0123456789abcdef0123456789abcdef"


def every_command(store, at):
    """Arguments that each command takes, for all that help lists but those that make a store (succession.py)."""
    file = at("file")
    known = {
        "add": ["person", "title=x"], "attach": [ID, file], "backup": [at("never")], "edit": [ID, "title=y"], "link": [ID, "same-as", ID],
        "withdraw": [ID], "export": [at("never")], "receive": [file], "status": [], "history": [ID], "list": [],
        "extract": [ID, at("never")], "forms": [], "search": ["x"], "show": [ID], "verify": [],
        "passphrase": ["--new-passphrase-fd", "0"], "rekey": [], "slot": ["add", "--new-passphrase-fd", "0"], "approve": ["birch"], "devices": [], "checkpoint": [],
        "invite": ["elm", at("never")], "purge": [ID], "renew": [], "revoke": ["birch"], "import": [file], "quarantine": [], "receipt": ["birch", at("never")],
        "watch": [at("")]}
    listed = re.findall(r"^  ([a-z]+)  ", run(store.program, "-h").out, re.M)
    return [[name, *known[name]] for name in listed if name not in ("init", "repair", "restore")]


def all_refused(store, at, code, words, **how):
    """Every command ends so; `words` are told; nothing changes and nothing is made."""
    before = files(at(""))
    for args in every_command(store, at):
        ran = expected(store.run(*args, stdin="a new passphrase\n", **how), code, [store.program, *args])
        check(ran.out == "" and words in ran.err, f"{store.program} {args}: {ran.out}{ran.err}")
        check(files(at("")) == before, f"{store.program} {args} changed something")


def check_passphrases(stores, at):
    """Wrong ones, and the ways in which one can be given."""
    by = stores[0]
    for store in stores:
        all_refused(store, at, WRONG_KEY, "wrong passphrase or key. Nothing was changed.", passphrase="wrong")
    for wrong in (by.passphrase + " ", by.passphrase[:-1], by.passphrase.upper(), "x" * 1000):
        check(by.run("list", passphrase=wrong).code == WRONG_KEY, f"{wrong[:50]!r} opens the store")
    plain = ["--store", by.folder, "--no-input"]
    for options in ([], ["--passphrase-fd", "99"], ["--passphrase-fd", "x"], ["--passphrase-fd", ""]):
        ran = expected(run("skrynia", *plain, *options, "list"), USAGE, options)
        check("passphrase" in ran.err or "descriptor" in ran.err, f"{options}: {ran.err}")
    program = write(at("askpass"), f"#!/bin/sh\necho '{by.passphrase}'\n")
    os.chmod(program, 0o700)
    expected(run("skrynia", *plain, "--askpass", program, "list"), 0, ["--askpass"])
    expected(run("skrynia", *plain, "--askpass", "false", "list"), 1, ["--askpass false"])
    expected(run("skrynia", *plain, "--askpass", at("none"), "list"), CONFIG, ["--askpass none"])


def check_change(by, at):
    """A new passphrase, a key file added and taken away; what is old opens nothing any more."""
    key, other = write(at("key"), os.urandom(64)), write(at("other key"), os.urandom(64))
    old = by.passphrase
    by("passphrase", "--new-passphrase-fd", "0", "--new-key-file", key, stdin="a second passphrase\n")
    check(by.run("list").code == WRONG_KEY, "the old passphrase still opens the store")
    by.passphrase = "a second passphrase"
    for options in ([], ["--key-file", other]):
        check(by.run(*options, "list").code == WRONG_KEY, f"it opens with {options} as the key file")
    check(by.run("--key-file", at("no key"), "list").code == MISSING, "a key file that is not there")
    check(by.run("--key-file", write(at("empty"), ""), "list").code == DAMAGED, "an empty key file")
    check(by.run("--key-file", key, "list").code == 0, "it opens with its key file")
    by("--key-file", key, "passphrase", "--new-passphrase-fd", "0", "--no-key-file", stdin=old + "\n")
    by.passphrase = old
    check(by("list") == "", "it opens without a key file again")
    before = files(by.folder)
    for args, stdin in ((["--new-passphrase-fd", "0"], "\n"), (["--new-passphrase-fd", "0"], ""),
                        (["--new-key-file", key, "--no-key-file", "--new-passphrase-fd", "0"], "x\n")):
        by("passphrase", *args, stdin=stdin, expect=USAGE)
    check(files(by.folder) == before, "a change that was refused changed something")


def check_busy(store, at):
    """While a program waits for its standard input with the store open."""
    source, ours = os.pipe()
    with store.run("search", how=start, stdin=source, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE) as holder:
        os.close(source)
        check(b"unlocks fast" in holder.stderr.readline(), "it says when it is open")
        all_refused(store, at, BUSY, "in use by another program. Nothing was changed.")
        expected(store.run("--wait", "1", "list"), BUSY, ["--wait"])
        with store.run("--wait", "300", "list", how=start, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL) as waiting:
            expected(store.run("list"), BUSY, ["list"])
            check(waiting.poll() is None, "it did not wait")
            os.close(ours)
            check(waiting.wait() == 0, "it waited and then failed")
        holder.stderr.read()
    check(holder.returncode == USAGE, "an empty search")
    store("list")


def newer(folder):
    """Turns `keys` into a file of format 2, with a checksum that fits (crypto/slot.h)."""
    keys = bytearray(read(os.path.join(folder, "keys")))
    keys[16] = 2
    label = b"keys sum".ljust(16, b"\0")
    keys[1096:] = hashlib.blake2b(label + keys[:1096], digest_size=32).digest()
    write(os.path.join(folder, "keys"), keys)


def check_strange(stores, at):
    """Files of a newer version, of the other kind, damaged and missing."""
    by, to = stores
    for store, other, words in ((by, to, "this is an archive, which skrynia-receiver opens"),
                                (to, by, "this is a documenter's store, which skrynia opens")):
        all_refused(Store(store.program, other.folder), at, CONFIG, words)
    keys, data = os.path.join(by.folder, "keys"), os.path.join(by.folder, "data")
    whole = read(keys)
    newer(by.folder)
    all_refused(by, at, CONFIG, "made by a newer version of this program. Nothing was changed.")
    for damaged in (whole[:-1], whole + b"\0", b"", whole[:700] + b"\1" + whole[701:]):
        write(keys, damaged)
        ran = expected(by.run("list"), DAMAGED, ["list"])
        check("Copy the whole folder of the store before anything else" in ran.err, ran.err)
    os.unlink(keys)
    all_refused(by, at, MISSING, "keys: this file of the store is missing. Nothing was changed. Copy the "
                "whole folder of the store before anything else. Without the file 'keys' nothing in it can be read: "
                "put an older 'keys' into the copy (not one from before a 'rekey')")
    os.rename(data, at("data"))
    all_refused(by, at, MISSING, "there is no store here. Check --store, or make one with 'skrynia init'.")
    os.rename(at("data"), data)
    write(keys, whole)
    whole = read(data)
    for damaged in (whole[:4096], b"", bytes(len(whole))):
        write(data, damaged)
        all_refused(by, at, DAMAGED, "Copy the whole folder of the store before anything else")
    os.unlink(data)
    all_refused(by, at, MISSING, "A part of the store is missing: put the folder back as a whole.")
    write(data, whole)
    check(by.json("verify")["ok"], "it opens again when the files are back")


def test(top):
    at = lambda *names: os.path.join(top, *names)
    to = archive(at("archive"))
    by = device(at("store"), to)
    write(at("file"), os.urandom(262_144))
    check_passphrases((by, to), at)
    check_change(by, at)
    for store in (by, to):
        check_busy(store, at)
    check_strange((by, to), at)


main(test)
