"""The program and the second reader (reader.py) must judge alike: the demo's exported ledger, and copies of it that were tampered with (tamper.py).

    ledger.py BIN-FOLDER DEMO-FOLDER

Prints a table, a line a case: what the program says, and what the reader says, each with the number of the first entry at fault. It fails if one of
them does not come to the verdict that it must, or names another place.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tamper import cases

READER = Path(__file__).with_name("reader.py")


def main(bin_folder, demo):
    export = demo / json.loads((demo / "demo.json").read_text("utf-8"))["export"]
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        failed, count = 0, 0
        print(f"{'case':<42} {'must be':<22} {'subrosa':<22} reader.py")
        for case in cases(export, work, demo, older(demo, export, work / "older-checkpoint")):
            must = ("sound", None) if case.sound else ("faulty", case.place)
            ours, theirs = program(bin_folder / "subrosa", case), reader(case)
            wrong = [said for found, said in (ours, theirs) if found != must]
            print(f"{case.name:<42} {words(must):<22} {words(ours[0]):<22} {words(theirs[0])}{'   WRONG' if wrong else ''}")
            for said in wrong:
                print("    " + said.strip().replace("\n", "\n    "))
            failed, count = failed + bool(wrong), count + 1
    print(f"{count - failed} cases judged alike, {failed} not")
    return 1 if failed or not count else 0


def words(found):
    verdict, place = found
    return verdict if place is None else f"{verdict} at entry {place}"


def program(subrosa, case):
    arguments = ["--export", case.folder, *(["--card", case.card] if case.card else [])]
    arguments += [part for path in case.checkpoints for part in ("--checkpoint", path)]
    run = subprocess.run([subrosa, "--json", "audit", "verify", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    said = run.stdout + run.stderr
    if run.returncode not in (0, 4):
        return (f"ended with {run.returncode}", None), said
    try:
        faults = json.loads(run.stdout)["faults"]
    except (ValueError, KeyError):
        # A card or a checkpoint that cannot even be read.
        faults = []
    # Of the chain: the reader does not decide releases again.
    places = [fault["entry"] for fault in faults if fault["part"] == "chain" and fault["entry"] is not None]
    return ("faulty" if run.returncode else "sound", min(places, default=None)), said


def reader(case):
    arguments = [case.folder, *(["--card", case.card] if case.card else [])]
    arguments += [part for path in case.checkpoints for part in ("--checkpoint", path)]
    run = subprocess.run([sys.executable, READER, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    said = run.stdout + run.stderr
    if run.returncode not in (0, 4):
        return (f"ended with {run.returncode}", None), said
    places = [int(place) for place in re.findall(r"(?m)^entry (\d+):", run.stdout)]
    return ("faulty" if run.returncode else "sound", min(places, default=None)), said


def older(demo, export, out):
    """The oldest checkpoint that lies about: what somebody last saw who did nothing in the end, or what went out with an extract."""
    notes = [json.loads(path.read_bytes())["checkpoint"] for path in demo.glob("*.state/*.json")]
    notes += [path.read_text("utf-8").partition("\n\n")[2] for path in demo.rglob("release.tlog-proof")]
    size = lambda note: int(note.split("\n")[1])
    now = size((export / "checkpoint").read_text("utf-8"))
    notes = [note for note in notes if note and size(note) < now]
    if not notes:
        sys.exit("FAILED: the demo leaves no older checkpoint")
    out.write_text(min(notes, key=size), "utf-8")
    return out


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
