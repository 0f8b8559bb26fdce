#!/usr/bin/env python3
"""A second reader of an exported ledger, written from docs/format.md alone (sections 1, 5 and 8).

    reader.py EXPORT [--card vault.card] [--checkpoint FILE]... [--proof FILE.tlog-proof ENTRY.json]

Verifies the vault card, canonical JSON, numbers, times, the chain of roots, signatures and who may sign, the checkpoint, checkpoints kept
elsewhere (the ledger must begin with what they vouch for), tiles and bundles, and proofs. Prints every fault and a line with the verdict;
the exit code is 0 for a sound ledger, 4 for faults, 2 for a wrong call.
"""
import argparse
import base64
import hashlib
import json
import re
import struct
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY = {"format", "vault", "seq", "time", "actor", "key", "root", "command", "events", "sig"}
TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")


class Fault(Exception):
    pass


def b64(text, length):
    data = base64.b64decode(text, validate=True)
    if len(data) != length or base64.b64encode(data).decode() != text:
        raise Fault("base64 of another length or form")
    return data


def unique(pairs):
    record = dict(pairs)
    if len(record) != len(pairs):
        raise Fault("a key stands twice")
    return record


def no_fraction(text):
    raise Fault(f"{text} is no integer")


def whole(text):
    if abs(int(text)) >= 2**53:
        raise Fault("an integer of 2^53 or more")
    return int(text)


def canonical(value):
    """RFC 8785 for what occurs here: no fractions; keys sorted by UTF-16 code units."""
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(k)}:{canonical(v)}" for k, v in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def read(data):
    value = json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_float=no_fraction, parse_int=whole,
                       parse_constant=no_fraction)
    if canonical(value).encode() != data:
        raise Fault("not canonical JSON")
    return value


def signed(key, message, sig, context=None):
    if context:
        message = context.encode() + b"\n" + message
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(sig, message)
    except InvalidSignature:
        return False
    return True


def without_sig(record):
    return canonical({k: v for k, v in record.items() if k != "sig"}).encode()


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """RFC 6962: the roots of complete subtrees, from the left."""

    def __init__(self):
        self.size, self.stack = 0, []

    def push(self, leaf):
        self.size += 1
        self.stack.append(leaf)
        size = self.size
        while size % 2 == 0:
            right = self.stack.pop()
            self.stack.append(node_hash(self.stack.pop(), right))
            size //= 2

    def root(self):
        if not self.stack:
            return hashlib.sha256(b"").digest()
        root = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            root = node_hash(left, root)
        return root


def included(leaf, index, size, path, root):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and node == root


def key_id(name, algorithm, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + key).digest()[:4]


def checkpoint(note, origin, key):
    """Size and root of a signed note (C2SP signed-note, tlog-checkpoint), once its signature holds."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    first, size, root = text.split("\n")[:3]
    if first != origin or not re.fullmatch(r"0|[1-9]\d*", size):
        raise Fault("a checkpoint is of another ledger or not in its form")
    held = False
    for line in lines.splitlines():
        match = re.fullmatch(r"\u2014 (\S+) (\S+)", line)
        if not match:
            raise Fault("a line below a checkpoint is no signature")
        data = base64.b64decode(match[2], validate=True)
        if match[1] == origin and data[:4] == key_id(origin, 1, key):
            if not signed(key, text.encode(), data[4:]):
                raise Fault("the signature of a checkpoint does not hold")
            held = True
    if not held:
        raise Fault("a checkpoint is not signed by the ledger's key")
    return int(size), b64(root, 32)


def tile_path(kind, index, width):
    parts = [f"{index % 1000:03}"]
    while index := index // 1000:
        parts.insert(0, f"x{index % 1000:03}")
    return f"tile/{kind}/" + "/".join(parts) + ("" if width == 256 else f".p/{width}")


class Ledger:
    def __init__(self, folder, card):
        self.faults, self.folder, self.leaves = [], folder, []
        self.people, self.stewards, self.roots = {}, set(), {}
        self.card = read(card)
        if self.card["format"] != "subrosa-vault-card/1":
            raise Fault("not a vault card")
        if not signed(b64(self.card["steward"], 32), without_sig(self.card), b64(self.card["sig"], 64),
                      "subrosa/vault-card/1"):
            raise Fault("the signature of the vault card does not hold")
        self.origin, self.key = "subrosa.invalid/" + self.card["vault"], b64(self.card["log_key"], 32)

    def fault(self, words):
        self.faults.append(words)

    def attempt(self, what, act, *args):
        try:
            return act(*args)
        except (Fault, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as error:
            self.fault(f"{what}: {error or type(error).__name__}")

    def entry(self, tree, data):
        entry = read(data)
        here, seq = tree.size, entry["seq"]
        if set(entry) != ENTRY or entry["format"] != "subrosa-entry/1" or not entry["events"]:
            raise Fault("fields are missing or one too many")
        if seq != here or entry["vault"] != self.card["vault"]:
            self.fault(f"entry {here}: it has the number {seq}, or is of another vault")
        if b64(entry["root"], 32) != tree.root():
            self.fault(f"entry {here}: the entries before it are not those that its signer saw")
        if not TIME.fullmatch(entry["time"]) or entry["time"] < self.last:
            self.fault(f"entry {here}: its time goes back")
        self.last = entry["time"]
        key, actor = b64(entry["key"], 32), entry["actor"]
        if not signed(key, without_sig(entry), b64(entry["sig"], 64), "subrosa/entry/1"):
            return self.fault(f"entry {here}: the signature does not hold")
        genesis = [event for event in entry["events"] if event["event"] == "genesis"]
        if len(genesis) != (here == 0) or (here == 0 and entry["events"][0]["event"] != "genesis"):
            self.fault(f"entry {here}: the genesis stands where it may not, or not where it must")
        for event in genesis if here == 0 else []:
            self.people[event["steward_id"]] = (b64(event["steward"], 32), [{"role": "steward"}])
            self.stewards.add(event["steward"])
            if event["origin"] != self.origin or b64(event["log_key"], 32) != self.key:
                self.fault("the genesis names another ledger or key than the vault card")
        known, roles = self.people.get(actor, (None, []))
        if known != key or not roles:
            return self.fault(f"entry {here}: signed by somebody who is not enrolled with that key")
        for event in entry["events"]:
            if event["event"] == "person":
                if not any(grant["role"] == "steward" for grant in roles):
                    self.fault(f"entry {here}: somebody who is no steward changes a person")
                elif self.people.get(event["person"], (b64(event["sign"], 32),))[0] != b64(event["sign"], 32):
                    self.fault(f"entry {here}: a person gets another key")
                else:
                    self.people[event["person"]] = (b64(event["sign"], 32), event["roles"])
                    if any(grant["role"] == "steward" for grant in event["roles"]):
                        self.stewards.add(event["sign"])

    def entries(self):
        tree, self.last = Tree(), ""
        self.roots[0] = tree.root()
        with open(self.folder / "entries.jsonl", "rb") as lines:
            for line in lines:
                data = line.removesuffix(b"\n")
                self.attempt(f"entry {tree.size}", self.entry, tree, data)
                self.leaves.append((leaf_hash(data), data))
                tree.push(self.leaves[-1][0])
                self.roots[tree.size] = tree.root()
        if not self.leaves or self.leaves[0][0] != b64(self.card["genesis"], 32):
            self.fault("the first entry is not the genesis that the vault card names")
        if self.card["steward"] not in self.stewards:
            self.fault("the vault card is signed by somebody who never was a steward")

    def hold(self, what, path):
        size, root = checkpoint(path.read_text(encoding="utf-8"), self.origin, self.key)
        if self.roots.get(size) != root:
            self.fault(f"{what}: over {size} entries, of which {len(self.leaves)} are here, or they are others")
        return size, root

    def tiles(self):
        level, hashes = 0, [leaf for leaf, _ in self.leaves]
        while hashes:
            for at in range(0, len(hashes), 256):
                self.same(tile_path(level, at // 256, len(hashes[at:at + 256])), b"".join(hashes[at:at + 256]))
            full = [hashes[at:at + 256] for at in range(0, len(hashes) - 255, 256)]
            hashes, level = [self.subtree(tile) for tile in full], level + 1
        entries = [data for _, data in self.leaves]
        for at in range(0, len(entries), 256):
            bundle = entries[at:at + 256]
            if all(len(data) < 65536 for data in bundle):
                self.same(tile_path("entries", at // 256, len(bundle)), b"".join(struct.pack(">H", len(d)) + d for d in bundle))

    @staticmethod
    def subtree(hashes):
        tree = Tree()
        for item in hashes:
            tree.push(item)
        return tree.root()

    def same(self, path, data):
        if (self.folder / path).read_bytes() != data:
            self.fault(f"{path} is not what the entries give")

    def proof(self, path, entry):
        text = Path(path).read_text(encoding="utf-8")
        first, index, rest = text.split("\n", 2)
        if first != "c2sp.org/tlog-proof@v1" or not re.fullmatch(r"index (0|[1-9]\d*)", index):
            raise Fault("not a proof")
        hashes, _, note = ("\n" + rest).partition("\n\n")
        size, root = checkpoint(note, self.origin, self.key)
        path = [b64(line, 32) for line in hashes.split("\n") if line]
        if not included(leaf_hash(Path(entry).read_bytes()), int(index[6:]), size, path, root):
            raise Fault("the proof does not lead from the entry to the checkpoint")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", type=Path)
    parser.add_argument("--card", type=Path)
    parser.add_argument("--checkpoint", type=Path, action="append", default=[])
    parser.add_argument("--proof", nargs=2, action="append", default=[])
    args = parser.parse_args()
    try:
        ledger = Ledger(args.export, (args.card or args.export / "vault.card").read_bytes())
    except (Fault, ValueError, KeyError, TypeError, OSError) as error:
        print(f"vault.card: {error or type(error).__name__}\nverdict: faulty")
        return 4
    ledger.attempt("entries.jsonl", ledger.entries)
    head = ledger.attempt("checkpoint", ledger.hold, "checkpoint", args.export / "checkpoint")
    if head and head[0] != len(ledger.leaves):
        ledger.fault("there are entries after the checkpoint")
    for path in args.checkpoint:
        ledger.attempt(str(path), ledger.hold, str(path), path)
    if (args.export / "tile").is_dir():
        ledger.attempt("tile", ledger.tiles)
    for path, entry in args.proof:
        ledger.attempt(path, ledger.proof, path, entry)
    for words in ledger.faults:
        print(words)
    print(f"verdict: {'faulty' if ledger.faults else 'sound'}, {len(ledger.leaves)} entries")
    return 4 if ledger.faults else 0


if __name__ == "__main__":
    sys.exit(main())
