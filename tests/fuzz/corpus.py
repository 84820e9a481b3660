"""The corpora as they stand in the tree, and as libFuzzer wants them: a file of bytes an input.

In the tree a file that ends in .hex holds hexadecimal digits and white space, one that ends in .lines such an
input on each line, any other file is an input as it is. What is found by running goes to found.lines.
"""
import hashlib
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
FOUND = "found.lines"
# Vectors whose bytes are inputs of a target as they stand.
VECTORS = {"entry": "entry", "frames": "frames", "invite": "invite", "manifest": "manifest", "note": "note",
           "receipt": "receipt-text", "form": "text", "json": "text"}


def tree(target):
    return os.path.join(HERE, "corpus", target)


def inputs(folder):
    """(name of the file, bytes) of each input in the tree."""
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        if name.endswith(".lines"):
            for line in data.decode().splitlines():
                yield name, bytes.fromhex(line)
        elif name.endswith(".hex"):
            yield name, bytes.fromhex("".join(data.decode().split()))
        else:
            yield name, data


def vectors(target):
    if target not in VECTORS:
        return
    path = os.path.join(HERE, "..", "vectors", "bundle", VECTORS[target] + ".json")
    with open(path, encoding="utf-8") as file:
        for vector in json.load(file)["vectors"]:
            told = vector["input"]  # hex, or pieces of it, each with how many times it stands there
            pieces = told if isinstance(told, list) else [[told, 1]]
            yield path, b"".join(bytes.fromhex(piece) * times for piece, times in pieces)


def unpack(target, folder):
    """Puts the inputs of the tree into a folder, and those of the vectors, under names made of their hash."""
    os.makedirs(folder, exist_ok=True)
    for _, data in [*inputs(tree(target)), *vectors(target)]:
        with open(os.path.join(folder, hashlib.sha1(data).hexdigest()), "wb") as file:
            file.write(data)


def keep(target, folder):
    """Writes the inputs in a folder that stand in no other file of the tree to found.lines."""
    others = {data for name, data in inputs(tree(target)) if name != FOUND}
    found = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        if data and data not in others:
            found.append(data.hex())
    with open(os.path.join(tree(target), FOUND), "w", encoding="ascii") as file:
        file.writelines(line + "\n" for line in sorted(found, key=lambda line: (len(line), line)))
    return len(found)
