"""From a vault folder, the key file, an archivist's identity and passphrase to what was delivered, by docs/format.md alone (vault.py).

    recording.py DEMO-FOLDER DELIVERY-FOLDER

Every recording, document and scan of the demo's vault is the file of the sample's delivery, byte for byte; its digest is the one in the ledger;
every sealed row opens. A steward gets at rows and ledger, and at no content; a wrong passphrase and a hurt object open nothing.
"""
import json
import shutil
import sys
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag

from tlog import Fault, b64, read
from vault import SEALED, Identity, Vault

CONTENT = {("participant", "content"), ("interview", "content"), ("transcript", "turns"), ("transcript", "marks")}


def main(demo, delivery):
    told = json.loads((demo / "demo.json").read_text("utf-8"))

    def person(role):
        who = next(person for person in told["people"] if person["roles"] == [role])
        return demo / who["identity"], (demo / who["passphrase_file"]).read_text("utf-8").rstrip("\r\n")

    with tempfile.TemporaryDirectory() as work:
        # A copy, so that nothing here can touch the vault, and one object of it can be hurt.
        here = Path(work)
        for name in ("vault", "keys"):
            source = demo / told[name]
            shutil.copytree(source, here / source.name)
        folder = here / (demo / told["vault"]).name
        archivist = Vault(folder, Identity(*person("archivist")))
        everything(archivist, delivery)
        steward(Vault(folder, Identity(*person("steward"))))
        refusals(archivist, person("archivist"))


def everything(vault, delivery):
    entries = [read(entry) for entry in vault.entries()]
    events = [event for entry in entries for event in entry["events"]]
    pinned = [event["digest"] for event in events if event["event"] == "keyring"][-1]
    expect(b64(pinned, 32) == vault.roster_digest, "the ledger names another keyring")
    digests = {event["object"]: event["digest"] for event in events if event["event"] == "object"}
    tables = {table: list(vault.rows(table)) for table in SEALED}
    cells = [row[column] for table, rows in tables.items() for row in rows for column in SEALED[table]]
    expect(cells and None not in cells, "an archivist of all sites does not open every row")
    interviews = {row["id"]: row for row in tables["interview"]}
    originals = {path.name: path.read_bytes() for path in delivery.rglob("*") if path.is_file()}
    kinds = {}
    for row in tables["object"]:
        interview, facts = interviews[row["interview"]], row["body"]
        name = interview["content"]["files"][row["id"].hex()]
        expect(digests.pop(facts["token"], None) == facts["digest"], "the ledger has another digest of an object")
        plain, padded = vault.object(row, facts["length"], b64(facts["digest"], 32))
        expect(plain == originals.get(Path(name).name), f"{name} is not what was delivered")
        kinds[facts["kind"]] = kinds.get(facts["kind"], 0) + 1
        print(f"{interview['body']['code']:>6}  {facts['kind']:<9}  {len(plain):>8} of {padded:>8} bytes  {name}")
    expect(not digests, "the ledger names an object that is not in the catalogue")
    recordings = {path.name for path in (delivery / "recordings").iterdir()}
    expect(kinds.get("recording") == len(recordings), "not every recording of the delivery is in the vault")
    for row in tables["transcript"]:
        expect(len(row["turns"]["texts"]) == len(row["outline"]["turns"]), "a transcript has other turns than its outline")
    print(f"{len(cells)} sealed columns, {len(entries)} entries and {sum(kinds.values())} files opened, each as it was delivered")


def steward(vault):
    """Stewards hold no content key (section 3)."""
    expect(not any(name.startswith("content/") for name in vault.compartments), "a steward holds a content key")
    for table in SEALED:
        for row in vault.rows(table):
            for column in SEALED[table]:
                expect((row[column] is None) == ((table, column) in CONTENT), f"a steward opens, or does not open, {table}.{column}")
            expect(table != "object" or row["slot"] not in vault.slots, "a steward has the key of an object")
    print("a steward opens what stewards may, and no words, names or recordings")


def refusals(vault, archivist):
    identity, passphrase = archivist
    refused("a wrong passphrase", Identity, identity, passphrase + "x")
    row = next(iter(vault.rows("object")))
    facts = row["body"]
    path = vault.folder / "objects" / row["id"].hex()[:2] / f"{row['id'].hex()}.age"
    hurt = bytearray(path.read_bytes())
    hurt[-1] ^= 1
    path.write_bytes(hurt)
    refused("a hurt object", vault.object, row, facts["length"], b64(facts["digest"], 32))
    keys = next(vault.folder.parent.rglob("keyfile"))
    hurt = bytearray(keys.read_bytes())
    hurt[len(hurt) // 2] ^= 1
    keys.write_bytes(hurt)
    refused("a hurt key file", vault.keyfile, keys)


def refused(what, act, *args):
    try:
        act(*args)
    except (Fault, InvalidTag):
        print(f"refused: {what}")
        return
    expect(False, f"{what} was not refused")


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
