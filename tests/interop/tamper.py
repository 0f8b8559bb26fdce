"""Cut, altered, forged, rolled back and rewritten copies of an exported ledger: `cases` makes them and says how each must be judged.

What the keys of the demo's people sign here, they sign against the rules; so some copies are as good as all members together can make them.
"""
import base64
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tlog import Tree, canonical, key_id, leaf_hash
from vault import Identity, Vault


@dataclass
class Case:
    """A copy, what is held against it, and the verdict that it must get: sound, or faulty first at this entry (None: at none)."""

    name: str
    folder: Path
    sound: bool = False
    place: int | None = None
    checkpoints: list = field(default_factory=list)
    card: Path | None = None


class Keys:
    """Everybody's keys, and the one that signs checkpoints."""

    def __init__(self, demo):
        told = json.loads((demo / "demo.json").read_text("utf-8"))
        people = [(p["roles"], Identity(demo / p["identity"], (demo / p["passphrase_file"]).read_text("utf-8").rstrip("\r\n"))) for p in told["people"]]
        self.people = {identity.id: Ed25519PrivateKey.from_private_bytes(identity.seed) for _, identity in people}
        archivist = next(identity for roles, identity in people if roles == ["archivist"])
        log = Vault(demo / told["vault"], archivist).compartments["log-sign"]
        self.log = Ed25519PrivateKey.from_private_bytes(log[max(log)])
        self.archivist = archivist.id

    def entry(self, entry, key=None):
        """The entry signed anew, by its own actor unless another key is given."""
        entry = {name: value for name, value in entry.items() if name != "sig"}
        key = key or self.people[entry["actor"]]
        entry["key"] = text(raw(key))
        entry["sig"] = text(key.sign(b"subrosa/entry/1\n" + canonical(entry).encode()))
        return canonical(entry).encode()

    def checkpoint(self, origin, lines, key=None):
        """A head over these entries, by the ledger's key; by another one it claims to be the ledger's."""
        note = f"{origin}\n{len(lines)}\n{root(lines)}\n"
        return f"{note}\n\u2014 {origin} {text(key_id(origin, 1, raw(self.log)) + (key or self.log).sign(note.encode()))}\n".encode()

    def chain(self, before, after):
        """`after`, each signed anew by its own actor, with the number and the root that it has behind `before`."""
        lines = list(before)
        for line in after:
            lines.append(self.entry({**json.loads(line), "seq": len(lines), "root": root(lines)}))
        return lines


def raw(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def text(data):
    return base64.b64encode(data).decode()


def root(lines):
    tree = Tree()
    for line in lines:
        tree.push(leaf_hash(line))
    return text(tree.root())


def cases(source, out, demo, old):
    """The copies of the export `source`, under `out`. `old`: an earlier checkpoint of it."""
    keys, stranger = Keys(demo), Ed25519PrivateKey.generate()
    lines = (source / "entries.jsonl").read_bytes().splitlines()
    note = (source / "checkpoint").read_bytes()
    origin = note.decode().split("\n")[0]
    entries = [json.loads(line) for line in lines]
    end, middle = len(lines), len(lines) // 2
    last = entries[-1]
    made = []

    def copy(name, lines, place=None, checkpoint=None, tiles=False, **more):
        folder = out / name.replace(" ", "-").replace(",", "").replace("'", "")
        shutil.copytree(source, folder)
        (folder / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        (folder / "checkpoint").write_bytes(checkpoint or note)
        if not tiles:
            shutil.rmtree(folder / "tile")
        made.append(Case(name, folder, place=place, **more))
        return folder

    def instead(at, line):
        return lines[:at] + [line] + lines[at + 1:]

    def read_by_archivist(before, time):
        return keys.entry({**last, "actor": keys.archivist, "command": "interview list", "seq": len(before), "root": root(before), "time": time,
                           "events": [{"event": "listed", "what": "interviews", "filters": [], "count": 1}]})

    made.append(Case("the export itself", source, sound=True, checkpoints=[source / "checkpoint", old]))
    copy("without its tiles", lines, sound=True)
    copy("cut at the head", lines[1:], place=0)
    copy("cut in the middle", lines[:middle] + lines[middle + 1:], place=middle + 1)
    copy("cut at the tail", lines[:-1])
    copy("empty", [])
    for at in (0, middle, end - 1):
        altered = bytearray(lines[at])
        place = altered.index(b'"time":"') + 8 + 18
        altered[place] = ord("0") if altered[place] != ord("0") else ord("1")
        copy(f"altered, entry {at}", instead(at, bytes(altered)), place=at)
    copy("swapped", lines[:middle - 1] + [lines[middle], lines[middle - 1]] + lines[middle + 1:], place=middle)
    copy("duplicated", lines[:middle + 1] + lines[middle:], place=middle + 1)
    forged = keys.entry({**last, "seq": middle, "root": root(lines[:middle])}, stranger)
    copy("inserted by a stranger", lines[:middle] + [forged] + lines[middle:], place=middle)
    forged = read_by_archivist(lines[:middle], entries[middle - 1]["time"])
    copy("inserted by a member", lines[:middle] + [forged] + lines[middle:], place=middle + 1)
    copy("signed by a stranger", instead(end - 1, keys.entry(last, stranger)), place=end - 1)
    copy("appended by a stranger", lines + [keys.entry({**last, "seq": end, "root": root(lines)}, stranger)], place=end)
    copy("appended by a member, no checkpoint", lines + [read_by_archivist(lines, last["time"])])
    back = instead(end - 1, keys.entry({**last, "time": entries[0]["time"]}))
    copy("clock backwards", back, end - 1, keys.checkpoint(origin, back))
    unknown = instead(end - 1, keys.entry({**last, "events": [{"event": "published"}]}))
    copy("an event that does not exist", unknown, end - 1, keys.checkpoint(origin, unknown))
    copy("a space between", instead(middle, lines[middle].replace(b'"command":', b'"command": ')), place=middle)
    copy("half an entry", instead(middle, lines[middle][:-7]), place=middle)
    size = note.decode().split("\n")[1]
    copy("checkpoint of another size", lines, checkpoint=note.replace(f"\n{size}\n".encode(), f"\n{int(size) + 1}\n".encode(), 1))
    copy("checkpoint signed by a stranger", lines, checkpoint=keys.checkpoint(origin, lines, stranger))
    copy("checkpoint's signature altered", lines, checkpoint=note.replace(note.split()[-1][8:20], b"A" * 12))
    tile = copy("a tile altered", lines, tiles=True) / "tile" / "0"
    path = next(path for path in tile.rglob("*") if path.is_file())
    path.write_bytes(bytes(path.stat().st_size))
    card = {name: value for name, value in json.loads((source / "vault.card").read_bytes()).items() if name != "sig"}
    card["steward"] = text(raw(stranger))
    card["sig"] = text(stranger.sign(b"subrosa/vault-card/1\n" + canonical(card).encode()))
    folder = copy("the card of a stranger", lines)
    (folder / "vault.card").write_bytes(canonical(card).encode())
    made.append(Case("another card than its own", source, card=folder / "vault.card"))

    # Sound by themselves: nothing but a checkpoint that somebody outside kept can tell.
    held = source / "checkpoint"
    reading = next(at for at in range(middle, end) if {event["event"] for event in entries[at]["events"]} <= {"listed", "opened", "denied"})
    rewritten = {
        "rolled back": (lines[:int(old.read_bytes().split(b"\n")[1])], old.read_bytes()),
        "forked": (keys.chain(lines[:-1], [read_by_archivist(lines[:-1], last["time"])]), None),
        "forked, and gone on": (keys.chain(lines[:-1], [read_by_archivist(lines[:-1], last["time"])] * 3), None),
        "all signed an entry out": (keys.chain(lines[:reading], lines[reading + 1:]), None),
        "all signed an entry in": (keys.chain(lines[:middle], [read_by_archivist(lines[:middle], entries[middle - 1]["time"])] + lines[middle:]), None),
    }
    for name, (lines, signed) in rewritten.items():
        folder = copy(name, lines, checkpoint=signed or keys.checkpoint(origin, lines), sound=True)
        made.append(Case(f"{name}, a checkpoint held", folder, checkpoints=[held]))
    return made
