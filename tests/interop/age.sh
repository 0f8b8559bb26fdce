#!/usr/bin/env bash
# Stock age and rage open what we seal, and we open what they seal.
#
#   tests/interop/age.sh BIN-FOLDER
#
# BIN-FOLDER holds `subrosa` and `examples/seal_open` (target/debug after `cargo test`). Needs age, rage and python3 on the
# PATH.
set -euo pipefail

bin=$(cd "${1:?the folder of the built programs, such as target/debug}" && pwd)
ours=$bin/examples/seal_open
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

checks=0
same() { # WHAT FILE FILE
  cmp -s "$2" "$3" || { echo "FAILED: $1" >&2; exit 1; }
  checks=$((checks + 1))
}
padded() { # WHAT PLAIN OPENED: the plaintext, then zero bytes only
  local len full
  len=$(stat -c %s "$2")
  full=$(stat -c %s "$3")
  [ "$full" -ge 65536 ] || { echo "FAILED: $1: not padded" >&2; exit 1; }
  head -c "$len" "$3" > head.tmp
  tail -c +$((len + 1)) "$3" > tail.tmp
  head -c $((full - len)) /dev/zero > zero.tmp
  same "$1" "$2" head.tmp
  same "$1, padding" zero.tmp tail.tmp
}
refused() { # WHAT COMMAND…
  local what=$1
  shift
  if "$@" > /dev/null 2>&1; then echo "FAILED: $what was not refused" >&2; exit 1; fi
  checks=$((checks + 1))
}

# Three identities: as age makes one, as rage makes one, and as an object's key is one.
age-keygen -o of-age.txt 2> keygen.log
rage-keygen -o of-rage.txt 2>> keygen.log
"$ours" key 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f > of-key.txt

recipient() { sed -n 's/^# public key: //p' "$1"; }

# To the standard output: for an empty plaintext rage makes no file.
for size in 0 1 65535 65536 65537 1048577 20971520; do
  head -c "$size" /dev/urandom > plain
  for identity in of-age.txt of-rage.txt of-key.txt; do
    to=$(recipient "$identity")
    "$ours" seal "$to" plain ours.age
    "$ours" seal --pad "$to" plain ours-padded.age
    "$ours" open "$identity" ours.age back
    same "ours, opened by us, $size bytes" plain back
    for tool in age rage; do
      "$tool" -d -i "$identity" ours.age > back
      same "ours, opened by $tool, $size bytes, $identity" plain back
      "$tool" -d -i "$identity" ours-padded.age > back
      padded "ours padded, opened by $tool, $size bytes, $identity" plain back
      "$tool" -r "$to" -o theirs.age plain
      "$ours" open "$identity" theirs.age back
      same "by $tool, opened by us, $size bytes, $identity" plain back
      rm -f back theirs.age
    done
  done
done

# One file for several people, and a stranger.
head -c 70000 /dev/urandom > plain
for tool in age rage; do
  "$tool" -r "$(recipient of-age.txt)" -r "$(recipient of-key.txt)" -o theirs.age plain
  "$ours" open of-key.txt theirs.age back
  same "the second recipient of $tool" plain back
  refused "a stranger's identity" "$ours" open of-rage.txt theirs.age back
done

# What was cut off or altered opens nowhere.
"$ours" seal "$(recipient of-age.txt)" plain ours.age
head -c -1 ours.age > cut.age
head -c -20 ours.age > altered.age
head -c 20 /dev/zero >> altered.age
for file in cut.age altered.age; do
  refused "$file" "$ours" open of-age.txt "$file" back
  refused "$file" age -d -i of-age.txt -o back "$file"
  refused "$file" rage -d -i of-age.txt -o back "$file"
done

# A person's own key as a standard identity.
echo 'seven walnut ladders under the orchard moon' > passphrase
"$bin/subrosa" --passphrase-file passphrase identity new --name Cid --country GE --out cid.id > /dev/null
"$bin/subrosa" --yes --identity cid.id --passphrase-file passphrase identity export-age --unprotected --out cid.age-identity > /dev/null
to=$(age-keygen -y cid.age-identity)
[ "$to" = "$(rage-keygen -y cid.age-identity)" ] || { echo "FAILED: age and rage read the exported identity otherwise" >&2; exit 1; }
"$ours" seal "$to" plain ours.age
for tool in age rage; do
  "$tool" -d -i cid.age-identity ours.age > back
  same "opened by $tool with an exported identity" plain back
  "$tool" -r "$to" -o theirs.age plain
  "$ours" open cid.age-identity theirs.age back
  same "by $tool, opened with an exported identity" plain back
  rm -f back
done

# The same under a passphrase, which age asks for on a terminal.
"$bin/subrosa" --identity cid.id --passphrase-file passphrase identity export-age --out cid.locked-identity > /dev/null
refused "a locked identity without its passphrase" setsid age -d -i cid.locked-identity -o back ours.age
python3 - <<'PYTHON'
import os, pty, select, sys

phrase = open("passphrase", "rb").readline().strip()
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("age", ["age", "-d", "-i", "cid.locked-identity", "-o", "back", "ours.age"])
seen, told = b"", False
while True:
    ready, _, _ = select.select([terminal], [], [], 60)
    try:
        more = os.read(terminal, 4096) if ready else b""
    except OSError:
        more = b""
    if not more:
        break
    seen += more
    if b"passphrase" in seen.lower() and not told:
        os.write(terminal, phrase + b"\n")
        told = True
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(f"age with a locked identity: {seen.decode(errors='replace')}" if code else 0)
PYTHON
same "opened by age with a locked identity" plain back

echo "age and rage: $checks checks passed"
