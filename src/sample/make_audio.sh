#!/usr/bin/env bash
# Makes the recordings of the sample study again, from the words in spoken/, with espeak-ng and ffmpeg.
#
# spoken/CODE.txt has one turn a line: voice, pitch (0-99), words a minute and the words, parted by tabs.
# For each turn the script prints code, line, start and end in seconds: the times in delivery/manifest.csv
# (evidence_from, evidence_to) and in the timed transcripts are these.
set -euo pipefail
cd "$(dirname "$0")"
out=delivery/recordings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

plain=(-map_metadata -1 -fflags +bitexact -flags:a +bitexact)
screen=(-f lavfi -i "color=c=0x303848:s=64x48:r=1")

# speak CODE: $work/CODE.wav from spoken/CODE.txt; its length in seconds is then in $at
speak() {
    local code=$1 line=0 voice pitch speed words bytes end
    at=0
    : >"$work/list"
    while IFS=$'\t' read -r voice pitch speed words; do
        line=$((line + 1))
        espeak-ng -v "$voice" -p "$pitch" -s "$speed" -w "$work/$code-$line.wav" -- "$words"
        echo "file '$code-$line.wav'" >>"$work/list"
        bytes=$(stat -c %s "$work/$code-$line.wav")
        end=$(awk -v a="$at" -v b="$bytes" 'BEGIN { printf "%.3f", a + (b - 44) / 44100 }') # 22,050 Hz, 16 bits, one channel
        echo "$code $line $at $end"
        at=$end
    done <"spoken/$code.txt"
    ffmpeg -v error -y -f concat -i "$work/list" -c copy "$work/$code.wav"
}

# encode CODE EXTENSION OPTIONS…: sound alone
encode() {
    local code=$1 ext=$2
    shift 2
    speak "$code"
    ffmpeg -v error -y -i "$work/$code.wav" -ac 1 "$@" "${plain[@]}" "$out/$code.$ext"
}

# film CODE EXTENSION OPTIONS…: sound under a still picture
film() {
    local code=$1 ext=$2
    shift 2
    speak "$code"
    ffmpeg -v error -y -i "$work/$code.wav" "${screen[@]}" -map 0:a -map 1:v -t "$at" -ac 1 "$@" \
        "${plain[@]}" -flags:v +bitexact "$out/$code.$ext"
}

encode AM-01 mp3 -ar 8000 -c:a libmp3lame -b:a 8k
encode AM-02 opus -ar 16000 -c:a libopus -b:a 6k -application voip
encode AM-03 ogg -ar 8000 -c:a libvorbis -q:a -1
encode AM-04 wav -ar 8000 -c:a pcm_s16le
encode GE-01 m4a -ar 8000 -c:a aac -b:a 12k
film GE-02 mp4 -ar 8000 -c:a aac -b:a 8k -c:v libx264 -crf 40
encode GE-03 flac -ar 8000 -c:a flac -compression_level 12
encode SR-01 mp3 -ar 8000 -c:a libmp3lame -b:a 8k
film SR-02 mkv -ar 16000 -c:a libopus -b:a 8k -application voip -c:v mpeg4 -q:v 31
encode SR-03 opus -ar 16000 -c:a libopus -b:a 8k -application voip
encode PL-01 m4a -ar 8000 -c:a aac -b:a 12k
encode PL-02 ogg -ar 8000 -c:a libvorbis -q:a -1
