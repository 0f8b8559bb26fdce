"""A board that cosigns, with the program; then its cosignatures, the proofs that heads extend each other, and proofs of single entries, with the
second reader (reader.py). And a vault that was copied and gone on with twice: both must refuse what does not extend.

    witness.py BIN-FOLDER DEMO-FOLDER         of the demo, study.toml alone is used
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

READER = Path(__file__).with_name("reader.py")
PHRASE = "seven walnut ladders under the orchard moon"


class Room:
    """A folder with a vault, its people, and the program."""

    def __init__(self, folder, program):
        self.at, self.program = Path(folder), program

    def run(self, *arguments, who=None, ends=0):
        call = [self.program, "--yes", "--passphrase-file", "phrase", *(["--identity", f"{who}.id"] if who else []), *arguments]
        run = subprocess.run(call, cwd=self.at, env={**os.environ, "HOME": str(self.at)}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        said = run.stdout + run.stderr
        expect(run.returncode == ends, f"{' '.join(map(str, arguments))}: ended with {run.returncode}, not {ends}:\n{said}")
        return said

    def vault(self, *arguments, **more):
        return self.run("--vault", "vault", *arguments, who="ada", **more)

    def read(self, *arguments, ends=0):
        """The second reader over the export."""
        run = subprocess.run([sys.executable, READER, "export", *arguments], cwd=self.at, capture_output=True, text=True)
        expect(run.returncode == ends, f"reader.py {' '.join(arguments)}: ended with {run.returncode}, not {ends}:\n{run.stdout + run.stderr}")
        return run.stdout

    def both(self, *arguments, ends):
        self.read(*arguments, ends=ends)
        return self.run("--json", "audit", "verify", "--export", "export", *arguments, ends=ends)

    def cosigned(self, number):
        """The board cosigns the head of today, and the vault takes the line in; `old` is the head before."""
        before = size((self.at / f"head-{number - 1}").read_text("utf-8")) if number else 0
        self.vault("audit", "update", "--since", str(before), "--out", f"update-{number}")
        self.run("audit", "witness", "--state", "eve.witness", "--card", "vault/vault.card", "--update", f"update-{number}", "--out", f"line-{number}", who="eve")
        self.vault("audit", "checkpoint", "--add", f"line-{number}", "--out", f"head-{number}")

    def work(self, times=1):
        """Something that leaves an entry."""
        for _ in range(times):
            self.vault("audit", "log", "--last", "1")


def main(program, demo):
    with tempfile.TemporaryDirectory() as work:
        here = Room(Path(work) / "here", program)
        here.at.mkdir()
        (here.at / "phrase").write_text(PHRASE + "\n", "utf-8")
        shutil.copy(demo / "study.toml", here.at)
        for name in ("ada", "eve", "mal"):
            here.run("identity", "new", "--name", name.title(), "--country", "EE", "--out", f"{name}.id")
        here.run("init", "vault", "--study", "study.toml", "--steward", "ada.card", "--board", "eve.card", who="ada")
        here.cosigned(0)
        here.work(2)
        there = Room(Path(work) / "there", program)
        shutil.copytree(here.at, there.at)

        here.cosigned(1)
        here.vault("audit", "proof", "0", "--out", "first")
        here.vault("audit", "proof", "1", "--out", "second")
        here.vault("audit", "export", "--out", "export")
        # An export leaves an entry and is under a head of its own, which the board cosigns afterwards.
        here.cosigned(2)
        shutil.copy(here.at / "head-2", here.at / "export" / "checkpoint")

        proofs(here)
        boards(here)

        # The same vault, gone on with elsewhere from the same head: its heads extend head 0, and no later one.
        there.work(6)
        there.vault("audit", "update", "--since", str(size((here.at / "head-2").read_text("utf-8"))), "--out", "forked")
        shutil.copy(there.at / "forked", here.at)
        here.run("audit", "witness", "--state", "eve.witness", "--update", "forked", "--out", "never", who="eve", ends=4)
        expect(not (here.at / "never").exists(), "a head of a fork was cosigned")
        here.read("--update", "forked", "head-2", ends=4)
        there.vault("audit", "checkpoint", "--out", "head-of-the-fork")
        there.vault("audit", "export", "--out", "export")
        there.both(ends=0)
        there.both("--checkpoint", str(here.at / "head-0"), ends=0)
        there.both("--checkpoint", str(here.at / "head-2"), ends=4)
        here.both("--checkpoint", str(there.at / "head-of-the-fork"), ends=4)
        print("a fork: what extends the last head is cosigned, nothing else; each export is refused under the other's heads")


def proofs(room):
    for number in (1, 2):
        room.read("--update", f"update-{number}", f"head-{number - 1}")
    room.read("--update", "update-2", "head-0", ends=4)
    room.read("--proof", "first.tlog-proof", "first.json", "--proof", "second.tlog-proof", "second.json")
    room.read("--proof", "first.tlog-proof", "second.json", ends=4)
    for name, other in (("update-2", ["--update", "hurt", "head-1"]), ("first.tlog-proof", ["--proof", "hurt", "first.json"])):
        text = (room.at / name).read_text("utf-8")
        # The first letter of the first hash.
        lines = text.split("\n")
        at = 2 if name.endswith("proof") else 1
        lines[at] = ("B" if lines[at][0] == "A" else "A") + lines[at][1:]
        (room.at / "hurt").write_text("\n".join(lines), "utf-8")
        room.read(*other, ends=4)
    print("proofs: that single entries are in, and that heads extend each other; altered and swapped ones refused")


def boards(room):
    note = room.at / "export" / "checkpoint"
    whole = note.read_text("utf-8")
    said = json.loads(room.both(ends=0))
    names = re.findall(r"(?m)^cosigned: (\S+)$", room.read())
    expect(len(names) == 1 and [line["name"] for line in said["cosigned"]] == names, f"cosigned by {names} and {said['cosigned']}")
    line = whole.rstrip("\n").rpartition("\n")[2]
    head, blob = line.rsplit(" ", 1)
    for at in (-8, 8):
        letter = "B" if blob[at] == "A" else "A"
        hurt = blob[:at] + letter + blob[at:][1:]
        note.write_text(whole.replace(line, f"{head} {hurt}"), "utf-8")
        room.both(ends=4)
    # Somebody whom no genesis names: of no account, and not counted.
    room.run("audit", "witness", "--state", "mal.witness", "--card", "vault/vault.card", "--update", "update-0", "--out", "of-mal", who="mal")
    note.write_text(whole.replace(line, (room.at / "of-mal").read_text("utf-8").rstrip("\n")), "utf-8")
    expect(json.loads(room.both(ends=0))["cosigned"] == [] and "cosigned" not in room.read(), "a stranger's line counts")
    note.write_text(whole, "utf-8")
    print(f"cosignatures: {names[0]}; altered ones refused, a stranger's not counted")


def size(note):
    return int(note.split("\n")[1])


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() / "subrosa", Path(sys.argv[2]).resolve())
