#!/bin/sh
# Checks the settings that nginx itself would not reject. The entrypoint of the nginx image runs this script before it
# starts nginx, and does not start nginx if the script fails.
set -eu

# The same pattern as in packages/dev-env/src/gateway/cors.ts
origin='https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]+)?'
# With -z, the pattern must match the whole value even if the value contains line breaks.
if ! printf '%s\0' "${SOUK_CORS_ORIGINS:-}" | grep -Eqxz "($origin(,$origin)*)?"; then
  echo "SOUK_CORS_ORIGINS must be a list of origins such as https://shop.example,http://localhost:5173, separated by" \
    "commas, without a path and without a slash at the end." >&2
  exit 1
fi
