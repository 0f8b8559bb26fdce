#!/usr/bin/env bash
# The guides, followed word for word.
#
#     guides.sh BIN          BIN: the program, or the folder that it lies in
#
# Every block of docs/guide-*.md that is fenced "```sh N" is run, in the order of N, over all guides, in one shell. The first is run in the folder
# of the sources. "```sh N exit=3" means that the block has to end with that exit code. Other fences ("```text", "```console") are not run.
# HOME is a folder of its own, kept if something fails and its place told. The shell has a terminal (of `script`), so that what is shown on a
# terminal only is shown; nobody types.
set -euo pipefail

if [ $# -lt 1 ]; then
  echo "usage: $0 BIN" >&2
  exit 2
fi
bin=$1
if [ -d "$bin" ]; then bin=$bin/subrosa; fi
bin=$(realpath "$bin")
[ -x "$bin" ] || { echo "$bin is no program" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

scratch=$(mktemp -d)
mkdir "$scratch/bin" "$scratch/home"
ln -s "$bin" "$scratch/bin/subrosa"
run=$scratch/run.sh

# Blocks as one script. Each is announced, and runs in the shell that all share, unless its exit code is told: then in one of its own.
# The line number of the block goes with it, so that a failure can be found.
{
  echo 'set -euo pipefail'
  echo 'where=start'
  echo 'trap '\''code=$?; [ $code -eq 0 ] || echo "GUIDE FAILED at $where: exit code $code" >&2; exit $code'\'' EXIT'
  awk '
    FNR == 1 { if (open) { printf "%s: a block is not closed\n", file > "/dev/stderr"; bad = 1; exit 1 } file = FILENAME; sub(/.*\//, "", file) }
    !open && /^```sh/ {
      n = $2
      if (n !~ /^[0-9]+$/) { printf "%s:%d: a block fenced sh has no number\n", file, FNR > "/dev/stderr"; bad = 1; exit 1 }
      if (n in text) { printf "%s:%d: block %s stands twice\n", file, FNR, n > "/dev/stderr"; bad = 1; exit 1 }
      code[n] = 0
      if ($3 ~ /^exit=[0-9]+$/) code[n] = substr($3, 6)
      place[n] = file ":" FNR; text[n] = ""; numbers[++count] = n; open = 1; skip = 0; next
    }
    !open && /^```/ { open = 1; skip = 1; next }
    open && /^```/ { open = 0; next }
    open && !skip { text[n] = text[n] $0 "\n" }
    END {
      if (bad) exit 1
      if (open) { printf "%s: a block is not closed\n", file > "/dev/stderr"; exit 1 }
      for (i = 2; i <= count; i++) { v = numbers[i]; for (j = i - 1; j > 0 && numbers[j] + 0 > v + 0; j--) numbers[j + 1] = numbers[j]; numbers[j + 1] = v }
      for (i = 1; i <= count; i++) {
        n = numbers[i]
        printf "where=\"block %s, %s\"\nprintf \"\\n### %%s\\n\" \"$where\"\n", n, place[n]
        if (code[n] == 0) printf "%s", text[n]
        else printf "set +e\n( set -e\n%s)\ncode=$?\nset -e\n[ $code -eq %s ] || { echo \"expected exit code %s\" >&2; exit $((code == 0 ? 99 : code)); }\n", text[n], code[n], code[n]
      }
      printf "where=end\necho; echo \"%d blocks, all as the guides say\"\n", count
    }
  ' "$root"/docs/guide-*.md
} > "$run"

cd "$root"
export HOME=$scratch/home PATH=$scratch/bin:$PATH LC_ALL=C.UTF-8
code=0
if command -v script > /dev/null; then
  script -qefc "bash '$run'" /dev/null < /dev/null || code=$?
else
  bash "$run" < /dev/null || code=$?
fi
if [ "$code" -eq 0 ]; then
  rm -rf "$scratch"
else
  echo "Left as it was: $scratch" >&2
fi
exit "$code"
