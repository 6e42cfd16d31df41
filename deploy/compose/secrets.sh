#!/bin/sh
# At the first start, generates the passwords and the secret with which the containers authenticate to each other.
# Each folder below is a volume, and only the containers that need its files mount it. So the files can be readable for
# every user in a container.
set -eu
cd /secrets

store() { cat >"$1.new" && mv "$1.new" "$1"; } # atomic: a reader sees the whole file or none
generate() { [ -s "$1" ] || od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' | store "$1"; }

generate database/administrator-password
generate products/service-token-secret
store orders/service-token-secret <products/service-token-secret
for service in users products orders; do
  generate "database/$service-password"
  echo "$DATABASE_SCHEME://$service:$(cat "database/$service-password")@database/$service" | store "$service/database-url"
done
