#!/usr/bin/env bash
# Runs the first commands of a newcomer after `npm ci`: start the system, run the demo, stop with Ctrl-C, and start again
# on the same data. Fails if a command fails, or if start and demo take more than a minute.
# With `-m`, each background job has a separate process group, as in a terminal.
set -euo pipefail -m
cd "$(dirname "$0")/.."
data=$(mktemp -d); log=$(mktemp)
export DATA_DIR=$data
trap 'kill -TERM -- "-$shop" 2>/dev/null || true; rm -rf "$data" "$log"' EXIT

start() {
  npm start >"$log" 2>&1 & shop=$!
  # When the system is ready, `npm start` prints that Ctrl-C stops it.
  for _ in $(seq 120); do
    grep -q 'Ctrl-C' "$log" && return
    kill -0 "$shop" 2>/dev/null || break
    sleep 0.5
  done
  cat "$log" >&2; echo 'npm start did not become ready' >&2; exit 1
}
stop() { # As Ctrl-C in a terminal does, send SIGINT to the whole process group, including npm and its shell.
  kill -INT -- "-$shop"
  wait "$shop" || true
  for _ in $(seq 50); do
    curl -s http://localhost:8080/health/live >/dev/null || return 0
    sleep 0.1
  done
  cat "$log" >&2; echo 'The gateway still responds after Ctrl-C' >&2; exit 1
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
echo "Start and demo took $took s. The data is still there after a restart."
