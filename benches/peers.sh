#!/usr/bin/env bash
# Subrosa beside rage and restic, on the same files and the same disk: seconds of each, the best of RUNS, and the ratio. Files lie in the page cache for all.
# Needs rage and rage-keygen; restic too, if it is to be compared.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly MIB=${MIB:-1024} SMALL=${SMALL:-10000} RUNS=${RUNS:-3}
weigh=${WEIGH:-}
if [ -z "$weigh" ]; then
  cargo build --release --quiet --bin weigh
  weigh=$(realpath "${CARGO_TARGET_DIR:-target}/release/weigh")
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/peers.XXXXXX")
trap 'rm -rf "$work"' EXIT

best() { # COMMAND…: the least seconds of RUNS; each after `reset`, untimed
  local run
  for ((run = 0; run < RUNS; run++)); do
    reset
    sync
    local TIMEFORMAT=%R
    { time "$@" > "$work/said" 2> "$work/err" || { cat "$work/err" >&2; exit 1; }; } 2>&1
  done | sort -n | head -1
}

compare() { # WHAT OURS PEER SECONDS
  awk -v what="$1" -v ours="$2" -v peer="$3" -v theirs="$4" \
    'BEGIN { printf "%-34s subrosa %7.2f s   %-6s %7.2f s   ratio %.2f\n", what, ours, peer, theirs, ours / theirs }'
}

house=$work/house
fresh_house() { rm -rf "$work/now" && cp -a "$house" "$work/now" && rm -rf "$work/now/delivery" && ln -s "$house/delivery" "$work/now/delivery"; }

"$weigh" record "$house" "$MIB" > "$work/said"
rage-keygen -o "$work/key" 2> "$work/err"
recipient=$(sed -n 's/^# public key: //p' "$work/key")
recording=$house/delivery/AM-01.wav
sealed=$work/recording.age

rage_seals() { rage -r "$recipient" -o "$sealed" "$recording" && sync "$sealed"; }
rage_opens() { rage -d -i "$work/key" -o "$work/back.wav" "$sealed" && sync "$work/back.wav"; }
we_ingest() { "$weigh" ingest "$work/now"; }
we_open() { "$weigh" read "$work/now" AM-01 "$work/back.wav"; }

reset() { rm -f "$sealed"; }
theirs=$(best rage_seals)
reset() { fresh_house; }
ours=$(best we_ingest)
compare "a recording of $MIB MiB, in" "$ours" rage "$theirs"
reset() { rm -f "$work/back.wav"; }
theirs=$(best rage_opens)
ours=$(best we_open)
cmp "$recording" "$work/back.wav"
compare "a recording of $MIB MiB, back" "$ours" rage "$theirs"

rm -rf "$house" "$work/now" "$sealed" "$work/back.wav"
command -v restic > "$work/said" || { echo "restic is not installed: small interviews are not compared"; exit 0; }
"$weigh" found "$house" "$SMALL" 20000 > "$work/said"
export RESTIC_PASSWORD=correct-horse RESTIC_CACHE_DIR=$work/cache
restic_saves() { restic -q -r "$work/repository" backup "$house/delivery"; }
reset() { rm -rf "$work/repository" "$work/cache" && restic -q init -r "$work/repository"; }
theirs=$(best restic_saves)
reset() { fresh_house; }
ours=$(best we_ingest)
compare "$SMALL small interviews" "$ours" restic "$theirs"
