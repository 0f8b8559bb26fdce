#!/usr/bin/env python3
"""A second reader of an exported ledger, written from docs/format.md alone (sections 1, 5 and 8).

    reader.py EXPORT [--card vault.card] [--checkpoint FILE]... [--proof FILE.tlog-proof ENTRY.json]... [--update FILE CHECKPOINT]...

Verifies the vault card, canonical JSON, numbers, times, the chain of roots, signatures and who may sign, the checkpoint and the boards' lines
below it, checkpoints kept elsewhere (the ledger must begin with what they vouch for), tiles and bundles, proofs of single entries, and head
updates (that the new head extends the checkpoint). Prints every fault, each board that cosigned, and a line with the verdict; the exit code is
0 for a sound ledger, 4 for faults, 2 for a wrong call.

How to read it: from the bottom. `main` says what is looked at; `Ledger.entry` is what an entry must fulfil; tlog.py is arithmetic.
"""
import argparse
import re
import struct
import sys
from pathlib import Path

from tlog import Fault, Tree, b64, checkpoint, extends, included, leaf_hash, read, signed, without_sig

ENTRY = {"format", "vault", "seq", "time", "actor", "key", "root", "command", "events", "sig"}
CARD = {"format", "vault", "origin", "deposit", "desk", "log_key", "genesis", "steward", "stewards", "issued", "sig"}
# The table of events (section 8): each with its fields.
EVENTS = {line.split()[0]: set(line.split()[1:]) for line in """
genesis origin steward steward_id log_key boards trustees threshold
keyring version digest
person person sign country roles
study version digest text sig
site site country boards
policy digest text
approval approval board sites fieldwork usage purposes document
project project purpose people from until
participant participant
item item site voices
object object item kind digest
transcript transcript item version kind
passage passage item
consent participant act scope from form modules tier embargo expiry unmapped_condition condition_mapped
hold_set hold sites items
hold_lift hold lifted
review transcript engine marks digest
marks transcript added changed removed
request request project requester digest
decision decision sig items salt
release release request recipient until manifest items withheld
receipt release recipient until manifest
release_again release manifest
listed what filters count
opened what tokens
denied what reason
intent act number
done act number
checked faults
clock_accepted people
checks transcript turns
""".strip().splitlines()}
TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")


def tile_path(kind, index, width):
    parts = [f"{index % 1000:03}"]
    while index := index // 1000:
        parts.insert(0, f"x{index % 1000:03}")
    return f"tile/{kind}/" + "/".join(parts) + ("" if width == 256 else f".p/{width}")


class Ledger:
    def __init__(self, folder, card):
        self.faults, self.folder, self.leaves = [], folder, []
        self.people, self.stewards, self.boards, self.roots = {}, set(), [], {}
        # The number that comes next; and whether entries are missing or out of place, so that no root can agree any more.
        self.next, self.derailed, self.last = 0, False, ""
        self.card = read(card)
        if set(self.card) != CARD or self.card["format"] != "subrosa-vault-card/1":
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

    def number(self, seq):
        """Holds an entry's number against the one that comes next; gives the number to name it by."""
        expected = self.next
        if seq < expected:
            self.fault(f"entry {expected}: one numbered {seq} stands here")
            self.derailed = True
            return expected
        if seq > expected:
            self.fault(f"entry {seq}: the entries from {expected} on are missing before it")
            self.derailed = True
        self.next = seq + 1
        return seq

    def entry(self, tree, data):
        try:
            entry = read(data)
            if set(entry) != ENTRY or entry["format"] != "subrosa-entry/1" or not entry["events"]:
                raise Fault("fields are missing or one too many")
            for event in entry["events"]:
                if set(event) - {"event"} != EVENTS.get(event["event"]):
                    raise Fault("an event that is not in the table, or with other fields")
        except Exception:
            self.next += 1
            raise
        here = self.number(entry["seq"])
        if entry["vault"] != self.card["vault"]:
            self.fault(f"entry {here}: it is of another vault")
        if b64(entry["root"], 32) != tree.root() and not self.derailed:
            self.fault(f"entry {here}: the entries before it are not those that its signer saw")
            self.derailed = True
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
            self.boards = [b64(board, 32) for board in event["boards"]]
            if event["origin"] != self.origin or b64(event["log_key"], 32) != self.key:
                self.fault("entry 0: the genesis names another ledger or key than the vault card")
        known, roles = self.people.get(actor, (None, []))
        if known != key or not roles:
            return self.fault(f"entry {here}: signed by somebody who is not enrolled with that key")
        for event in entry["events"]:
            if event["event"] == "person":
                self.person(here, event, any(grant["role"] == "steward" for grant in roles))

    def person(self, here, event, by_steward):
        who, key = event["person"], b64(event["sign"], 32)
        others = [known for other, (known, _) in self.people.items() if other != who]
        if not by_steward:
            self.fault(f"entry {here}: somebody who is no steward changes a person")
        elif self.people.get(who, (key,))[0] != key or key in others:
            self.fault(f"entry {here}: a person gets another key, or the key of another")
        else:
            self.people[who] = (key, event["roles"])
            if any(grant["role"] == "steward" for grant in event["roles"]):
                self.stewards.add(event["sign"])

    def entries(self):
        tree = Tree()
        self.roots[0] = tree.root()
        with open(self.folder / "entries.jsonl", "rb") as lines:
            for line in lines:
                data = line.removesuffix(b"\n")
                self.attempt(f"entry {self.next}", self.entry, tree, data)
                self.leaves.append((leaf_hash(data), data))
                tree.push(self.leaves[-1][0])
                self.roots[tree.size] = tree.root()
        if not self.leaves:
            self.fault("there are no entries")
        elif self.leaves[0][0] != b64(self.card["genesis"], 32):
            self.fault("entry 0: it is not the genesis that the vault card names")
        if self.card["steward"] not in self.stewards:
            self.fault("the vault card is signed by somebody who never was a steward")

    def hold(self, what, path):
        size, root, cosigned = checkpoint(path.read_text(encoding="utf-8"), self.origin, self.key, self.boards)
        if self.roots.get(size) != root:
            self.fault(f"{what}: over {size} entries, of which {len(self.leaves)} are here, or they are others")
        return size, cosigned

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
        size, root, _ = checkpoint(note, self.origin, self.key)
        path = [b64(line, 32) for line in hashes.split("\n") if line]
        if not included(leaf_hash(Path(entry).read_bytes()), int(index[6:]), size, path, root):
            raise Fault("the proof does not lead from the entry to the checkpoint")

    def update(self, path, held):
        """Section 5, head update: what is sent to a board, held against the head that it cosigned last."""
        first, rest = Path(path).read_text(encoding="utf-8").split("\n", 1)
        if not re.fullmatch(r"old (0|[1-9]\d*)", first):
            raise Fault("not a head update")
        hashes, _, note = ("\n" + rest).partition("\n\n")
        old, old_root, _ = checkpoint(Path(held).read_text(encoding="utf-8"), self.origin, self.key)
        new, new_root, _ = checkpoint(note, self.origin, self.key)
        if old != int(first[4:]) or not extends(old, old_root, new, new_root, [b64(line, 32) for line in hashes.split("\n") if line]):
            raise Fault("the head does not extend the checkpoint")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", type=Path)
    parser.add_argument("--card", type=Path)
    parser.add_argument("--checkpoint", type=Path, action="append", default=[])
    parser.add_argument("--proof", nargs=2, action="append", default=[])
    parser.add_argument("--update", nargs=2, action="append", default=[])
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
    for path, held in args.update:
        ledger.attempt(path, ledger.update, path, held)
    for words in ledger.faults:
        print(words)
    for name in head[1] if head else []:
        print(f"cosigned: {name}")
    print(f"verdict: {'faulty' if ledger.faults else 'sound'}, {len(ledger.leaves)} entries")
    return 4 if ledger.faults else 0


if __name__ == "__main__":
    sys.exit(main())
