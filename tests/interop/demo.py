"""What `subrosa demo` leaves behind, read with other programs.

    demo.py BIN-FOLDER DEMO-FOLDER

Stock age and rage open the extract to the same tar; nothing of what the sample calls secret stands in it, in the vault, beside its keys, in
the ledger's export or in the checkpoint; the auditor verifies the ledger and the archivist checks the vault. Needs age and rage.
"""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from pathlib import Path

FIELDS = {"vault", "keys", "people", "extract", "analyst_identity", "checkpoint", "export", "secrets"}
PERSON = {"name", "roles", "identity", "passphrase_file"}


def main(bin_folder: Path, folder: Path) -> None:
    told = json.loads((folder / "demo.json").read_text("utf-8"))
    expect(set(told) == FIELDS, f"demo.json has the fields {sorted(told)}")
    for person in told["people"]:
        expect(set(person) == PERSON, f"a person in demo.json has the fields {sorted(person)}")
    where = {name: folder / told[name] for name in FIELDS - {"people", "secrets"}}
    for name, path in where.items():
        expect(path.exists(), f"{name} of demo.json does not exist")

    secrets = sorted(set(strings(told["secrets"])))
    expect(len(secrets) > 100, "demo.json names hardly any secrets")

    tar = opened("age", where["analyst_identity"], where["extract"])
    expect(tar == opened("rage", where["analyst_identity"], where["extract"]), "age and rage read different extracts")
    files = unpacked(tar)
    print(f"the extract: {len(files)} files, {len(tar)} bytes, SHA-256 {hashlib.sha256(tar).hexdigest()[:16]}…")
    for name, content in files.items():
        text = name + "\n" + content.decode("utf-8")
        for number, secret in enumerate(secrets):
            expect(not spoken(secret, text), f"{name} in the extract tells secret {number}")

    needles = [form for secret in secrets for form in encodings(secret)]
    at_rest = [path for name in ("vault", "keys", "extract", "checkpoint", "export") for path in under(where[name])]
    for path in at_rest:
        content = path.read_bytes()
        expect(not tells(content, secrets, needles), f"{path.relative_to(folder)} tells a secret")
        name = str(path.relative_to(folder))
        expect(not any(spoken(secret, name) for secret in secrets), "the name of a file beside the vault tells a secret")
    print(f"at rest: {len(at_rest)} files without any of {len(secrets)} secrets")

    with tempfile.TemporaryDirectory() as home:
        for role, command in [("auditor", ["audit", "verify"]), ("archivist", ["check"])]:
            person = next((p for p in told["people"] if role in json.dumps(p["roles"])), None)
            expect(person is not None, f"the demo has no {role}")
            arguments = ["--vault", where["vault"], "--identity", folder / person["identity"]]
            arguments += ["--passphrase-file", folder / person["passphrase_file"], *command]
            run = subprocess.run(
                [bin_folder / "subrosa", *arguments],
                env={**os.environ, "HOME": home},
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )
            said = (run.stdout + run.stderr).decode("utf-8", "replace")
            expect(run.returncode == 0, f"`subrosa {' '.join(command)}` ended with {run.returncode}:\n{said}")
            print(f"{role}: {' '.join(command)}: passed")


def opened(tool: str, identity: Path, sealed: Path) -> bytes:
    run = subprocess.run([tool, "-d", "-i", identity, sealed], stdin=subprocess.DEVNULL, capture_output=True)
    expect(run.returncode == 0, f"{tool} does not open the extract: {run.stderr.decode('utf-8', 'replace')}")
    return run.stdout


def unpacked(tar: bytes) -> dict[str, bytes]:
    files = {}
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        for member in archive:
            parts = Path(member.name).parts
            expect(member.isfile() or member.isdir(), "the extract holds something that is neither file nor folder")
            expect(not member.name.startswith("/") and ".." not in parts, "the extract would unpack outside its folder")
            expect(member.mtime == 0 or member.mtime % 86400 == 0, "the extract tells a time of day")
            expect(not member.uname and not member.gname and member.uid == 0, "the extract tells who packed it")
            if member.isfile():
                files[member.name] = archive.extractfile(member).read()
    expect(files, "the extract is empty")
    return files


def strings(value) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    return [text for part in inner for text in strings(part)]


def spoken(secret: str, text: str) -> bool:
    """Whether it stands in the text as words of its own."""
    for form in ("NFC", "NFD"):
        wanted = re.escape(unicodedata.normalize(form, secret))
        if re.search(rf"(?<!\w){wanted}(?!\w)", text):
            return True
    return False


def tells(content: bytes, secrets: list[str], needles: list[bytes]) -> bool:
    """Whether a file tells a secret: text by its words, since in Base64 chance makes a short name; all else by its bytes."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return any(form in content for form in needles)
    return any(spoken(secret, text) for secret in secrets)


def encodings(secret: str) -> set[bytes]:
    """As bytes; none so short that chance would make it in sealed bytes."""
    forms = {unicodedata.normalize(form, secret) for form in ("NFC", "NFD")}
    out = {text.encode(code) for text in forms for code in ("utf-8", "utf-16-le", "utf-16-be")}
    return {form for form in out if len(form) > 4}


def under(path: Path) -> list[Path]:
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def expect(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"FAILED: {what}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
