#!/usr/bin/env python3
"""Writes damaged and forged copies of an exported ledger beside each other: tamper.py EXPORT OUT. Prints the name of each.

`sound-…` must be found sound, `late-…` too unless a later checkpoint is held against it, everything else faulty.
"""
import base64
import json
import shutil
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reader import Tree, canonical, leaf_hash

source, out = Path(sys.argv[1]), Path(sys.argv[2])
lines = (source / "entries.jsonl").read_bytes().splitlines()
middle = len(lines) // 2


def write(name, entries, note=None, tiles=True):
    folder = out / name
    shutil.copytree(source, folder)
    (folder / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in entries))
    if note is not None:
        (folder / "checkpoint").write_bytes(note)
    if not tiles:
        shutil.rmtree(folder / "tile")
    print(name)


def root(entries):
    tree = Tree()
    for entry in entries:
        tree.push(leaf_hash(entry))
    return base64.b64encode(tree.root()).decode()


def sign(entry, key):
    """The entry anew, with a key of one's own."""
    entry = {k: v for k, v in entry.items() if k != "sig"}
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    entry["key"] = base64.b64encode(public).decode()
    message = b"subrosa/entry/1\n" + canonical(entry).encode()
    entry["sig"] = base64.b64encode(key.sign(message)).decode()
    return canonical(entry).encode()


stranger = Ed25519PrivateKey.generate()
last = json.loads(lines[-1])
write("sound-copy", lines)
write("sound-without-tiles", lines, tiles=False)
write("cut-head", lines[1:], tiles=False)
write("cut-middle", lines[:middle] + lines[middle + 1:], tiles=False)
write("cut-tail", lines[:-1], tiles=False)
write("empty", [], tiles=False)
for place in (0, middle, len(lines) - 1):
    changed = bytearray(lines[place])
    at = changed.index(b'"time":"') + 8 + 18
    changed[at] = ord("0") if changed[at] != ord("0") else ord("1")
    write(f"altered-{place}", lines[:place] + [bytes(changed)] + lines[place + 1:], tiles=False)
write("swapped", lines[:middle - 1] + [lines[middle], lines[middle - 1]] + lines[middle + 1:], tiles=False)
write("duplicated", lines[:middle] + [lines[middle]] + lines[middle:], tiles=False)
write("inserted", lines[:middle] + [sign({**last, "seq": middle, "root": root(lines[:middle])}, stranger)] + lines[middle:], tiles=False)
write("strangers-signature", lines[:-1] + [sign(last, stranger)], tiles=False)
forged = {**last, "seq": len(lines), "root": root(lines)}
write("appended-by-a-stranger", lines + [sign(forged, stranger)], tiles=False)
write("spaced", lines[:middle] + [lines[middle].replace(b'"command":', b'"command": ')] + lines[middle + 1:], tiles=False)
write("broken-json", lines[:middle] + [lines[middle][:-7]] + lines[middle + 1:], tiles=False)
note = (source / "checkpoint").read_text(encoding="utf-8")
size = note.split("\n")[1]
write("forged-checkpoint", lines, note.replace(f"\n{size}\n", f"\n{int(size) + 1}\n", 1).encode(), tiles=False)
text, _, signature = note.rpartition("\n\n")
name, blob = signature.split()[1:3]
blob = bytearray(base64.b64decode(blob))
blob[20] ^= 1
write("checkpoint-signature", lines, f"{text}\n\n— {name} {base64.b64encode(blob).decode()}\n".encode(), tiles=False)
tile = out / "tile-changed"
write("tile-changed", lines)
path = next(p for p in (tile / "tile" / "0").rglob("*") if p.is_file())
path.write_bytes(bytes(len(path.read_bytes())))
write("card-of-a-stranger", lines)
card = {k: v for k, v in json.loads((source / "vault.card").read_bytes()).items() if k != "sig"}
card["steward"] = base64.b64encode(stranger.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
card["sig"] = base64.b64encode(stranger.sign(b"subrosa/vault-card/1\n" + canonical(card).encode())).decode()
(out / "card-of-a-stranger" / "vault.card").write_bytes(canonical(card).encode())
if len(sys.argv) > 3:
    # An older checkpoint of the same ledger: rolled back to it.
    old = Path(sys.argv[3]).read_bytes()
    write("late-rolled-back", lines[:int(old.split(b"\n")[1])], old, tiles=False)
