#!/bin/sh
# Creates the passwords and the secret that the containers share, at the first start only, so that no installation uses
# public ones. Each folder is a volume that is mounted only in the containers that need it, so its files can be readable
# by every user.
set -eu
cd /secrets

# Writes a file atomically, so that no reader sees half of it.
store() { cat >"$1.new" && mv "$1.new" "$1"; }
# Creates a file with a random secret, unless it exists.
create_secret() { [ -s "$1" ] || od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' | store "$1"; }

create_secret database/administrator-password
create_secret products/service-token-secret
store orders/service-token-secret <products/service-token-secret
for service in users products orders; do
  create_secret "database/$service-password"
  echo "$DATABASE_SCHEME://$service:$(cat "database/$service-password")@database/$service" | store "$service/database-url"
done
