#!/bin/sh
# Makes the passwords and the secret by which these containers know each other: at the first start, and never again, so
# there are none that everybody knows. Each folder here is a volume, which is mounted where it is needed and nowhere
# else: that is why everybody may read what is in it.
set -eu
cd /secrets

keep() { cat >"$1.new" && mv "$1.new" "$1"; } # whole or not at all, for whoever reads it just now
made() { [ -s "$1" ] || od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' | keep "$1"; }

made database/administrator-password
made products/service-token-secret
keep orders/service-token-secret <products/service-token-secret
for service in users products orders; do
  made "database/$service-password"
  echo "$DATABASE_SCHEME://$service:$(cat "database/$service-password")@database/$service" | keep "$service/database-url"
done
