#!/usr/bin/env bash
# The second reader (reader.py, written from docs/format.md) and subrosa must come to the same verdict on the demo's exported ledger and on
# copies of it that were cut, altered, forged and rolled back.   ledger.sh BIN-FOLDER DEMO-FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
subrosa=$1/subrosa
demo=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export_dir=$(python3 - "$demo" << 'PY'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
print(folder / json.loads((folder / "demo.json").read_text())["export"])
PY
)
# An older checkpoint: what somebody last saw who did nothing in the end, or what went with the extract.
python3 - "$demo" "$export_dir" "$work/old" << 'PY'
import json, pathlib, sys
demo, export, out = map(pathlib.Path, sys.argv[1:])
size = lambda note: int(note.split("\n")[1])
notes = [json.loads(path.read_bytes())["checkpoint"] for path in demo.glob("*.state/*.json")]
notes += [path.read_text(encoding="utf-8").partition("\n\n")[2] for path in demo.rglob("release.tlog-proof")]
older = [note for note in notes if note and size(note) < size((export / "checkpoint").read_text(encoding="utf-8"))]
if older:
    out.write_text(min(older, key=size), encoding="utf-8")
PY
old=()
if [ -f "$work/old" ]; then old=("$work/old"); fi
failed=0

verdicts() { # NAME EXPECTED ARGUMENT…
  local name=$1 expected=$2 ours=0 theirs=0
  shift 2
  "$subrosa" audit verify --export "$@" > "$work/ours" 2>&1 || ours=$?
  python3 "$here/reader.py" "$@" > "$work/theirs" 2>&1 || theirs=$?
  if [ "$ours" = "$expected" ] && [ "$theirs" = "$expected" ]; then
    printf 'as it should be (%s): %s\n' "$expected" "$name"
  else
    printf 'WRONG: %s: expected %s, subrosa %s, reader.py %s\n' "$name" "$expected" "$ours" "$theirs"
    sed 's/^/  subrosa: /' "$work/ours" | tail -n 8
    sed 's/^/  reader:  /' "$work/theirs" | tail -n 8
    failed=1
  fi
}

mkdir "$work/copies"
names=$(python3 "$here/tamper.py" "$export_dir" "$work/copies" "${old[@]}")
[ -n "$names" ]
verdicts "the export itself" 0 "$export_dir" --checkpoint "$export_dir/checkpoint"
for name in $names; do
  case $name in
    sound-*) verdicts "$name" 0 "$work/copies/$name" ;;
    late-*)
      verdicts "$name" 0 "$work/copies/$name"
      verdicts "$name, a later checkpoint kept" 4 "$work/copies/$name" --checkpoint "$export_dir/checkpoint"
      ;;
    *) verdicts "$name" 4 "$work/copies/$name" ;;
  esac
done
verdicts "another vault's card" 4 "$export_dir" --card "$work/copies/card-of-a-stranger/vault.card"
exit "$failed"
