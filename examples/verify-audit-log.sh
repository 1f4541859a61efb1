#!/bin/sh
# Checks the audit log of a data directory without fleetform: with jq and sha256sum only.
#
#   examples/verify-audit-log.sh [DATA]        default: .fleetform
#
# Prints the head and "ok", or what is wrong first, by sequence number, and exits 1.
# A line is {"seq":N,…,"prev":HASH}: seq counts from 1, prev is the SHA-256 of the line before
# it without its newline (64 zeros on the first), and state.json holds the hash of the line
# that it was made at.
set -eu
LC_ALL=C
export LC_ALL

data=${1:-.fleetform}
log=$data/audit.jsonl
state=$data/state.json

for tool in jq sha256sum; do
  if ! command -v "$tool" >/dev/null; then
    echo "$0: $tool is not installed (apt-get install jq coreutils)" >&2
    exit 1
  fi
done
if [ ! -r "$log" ]; then
  echo "$0: cannot read $log" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One file for each line, without its newline, so that one sha256sum hashes thousands.
mkdir "$work/lines"
awk -v dir="$work/lines" 'BEGIN { ORS = "" }
  { file = sprintf("%s/%09d", dir, NR); print $0 > file; close(file) }' "$log"
find "$work/lines" -type f | sort | xargs -r sha256sum | cut -c 1-64 > "$work/hashes"

# Line by line, so that one that is no JSON object does not hide the others.
jq -R -r '(try fromjson catch {}) as $line
  | if ($line | type) == "object" and ($line.seq | type) == "number" and ($line.prev | type) == "string"
    then "\($line.seq) \($line.prev)" else "? ?" end' "$log" > "$work/links"

at=0 head=-
if [ -e "$state" ]; then
  at=$(jq -r .seq "$state")
  head=$(jq -r .head "$state")
fi
torn=no
if [ -s "$log" ] && [ -n "$(tail -c 1 "$log" | tr '\n\0' ' x' | tr -d ' ')" ]; then
  torn=yes
fi

paste -d ' ' "$work/links" "$work/hashes" | awk -v at="$at" -v head="$head" -v torn="$torn" '
  { seq[NR] = $1; prev[NR] = $2; hash[NR] = $3 }
  function wrong(number, what) { print "seq " number " " what; failed = 1; exit 1 }
  # Whether line i and the one after it, or the head in state.json, do not fit together.
  function apart(i) {
    if (i < NR) return prev[i + 1] != hash[i]
    return i == at && head != hash[i]
  }
  END {
    if (failed) exit 1
    hash[0] = sprintf("%064d", 0)
    lines = torn == "yes" ? NR - 1 : NR
    for (i = 1; i <= lines; i++) {
      if (seq[i] == "?") wrong(i, "cannot be read")
      if (seq[i] != i && prev[i] == hash[i - 1]) wrong(i, "was changed: it says seq " seq[i])
      if (seq[i] < i) wrong(seq[i], "is there again, or out of place, after seq " i - 1)
      if (seq[i] > i) {
        if (i < lines && seq[i + 1] >= i && seq[i + 1] < seq[i])
          wrong(seq[i], "is out of place: it follows seq " i - 1)
        for (j = i + 1; j <= lines; j++)
          if (seq[j] == i) wrong(i, "is out of place: it follows seq " seq[j - 1])
        wrong(i, "is missing: " i - 1 " is followed by " seq[i])
      }
      # A changed prev breaks the link on either side; any other change only that after it.
      if (prev[i] != hash[i - 1]) wrong(i == 1 || apart(i) ? i : i - 1, "was changed")
    }
    if (torn == "yes") wrong(NR, "is unfinished: its line has no newline")
    if (at > NR) wrong(NR + 1, "is missing: state.json was made at seq " at)
    if (at > 0 && head != hash[at]) wrong(at, "was changed: state.json has another head")
    print hash[NR]
    print "ok: " NR " lines"
  }'
