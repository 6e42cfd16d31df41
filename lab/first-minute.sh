#!/usr/bin/env bash
# What a newcomer does first, after `npm ci`: starts the shop, runs the demo against it, stops it with Ctrl-C,
# and starts it again on the same data. Fails when any of it does, or takes more than a minute.
# Job control: each background job is a process group of its own, as in a terminal.
set -euo pipefail -m
cd "$(dirname "$0")/.."
data=$(mktemp -d); log=$(mktemp)
export DATA_DIR=$data
trap 'kill -TERM -- "-$shop" 2>/dev/null || true; rm -rf "$data" "$log"' EXIT

start() {
  npm start >"$log" 2>&1 & shop=$!
  for _ in $(seq 120); do
    grep -q 'Ctrl-C' "$log" && return
    kill -0 "$shop" 2>/dev/null || break
    sleep 0.5
  done
  cat "$log" >&2; echo 'npm start did not come up' >&2; exit 1
}
stop() { # As Ctrl-C in a terminal does: SIGINT for the whole foreground group, npm and its shell included.
  kill -INT -- "-$shop"
  wait "$shop" || true
  for _ in $(seq 50); do
    curl -s http://localhost:8080/health/live >/dev/null || return 0
    sleep 0.1
  done
  cat "$log" >&2; echo 'Something still answers after Ctrl-C' >&2; exit 1
}

began=$SECONDS
start
cat "$log"
npm run demo
took=$((SECONDS - began))
[ "$took" -lt 60 ] || { echo "start and demo took $took s" >&2; exit 1; }
stop
start
curl -fsS 'http://localhost:8080/products?q=the+last+one' | grep -q 'Lamp, the last one'
stop
echo "Started, demonstrated in $took s, stopped, and found its data again."
