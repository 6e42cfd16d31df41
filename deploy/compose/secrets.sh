#!/bin/sh
# At the first start, generates the passwords and the secret with which the containers authenticate to each other.
# Each folder below is a volume, which is mounted only into the containers that need its files. So the files can be
# readable by every user in those containers.
set -eu
cd /secrets

store() { cat >"$1.new" && mv "$1.new" "$1"; } # A reader sees no file or the complete file.
generate() { [ -s "$1" ] || od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' | store "$1"; }

generate database/administrator-password
generate products/service-token-secret
store orders/service-token-secret <products/service-token-secret
for service in users products orders; do
  generate "database/$service-password"
  echo "$DATABASE_SCHEME://$service:$(cat "database/$service-password")@database/$service" | store "$service/database-url"
done
