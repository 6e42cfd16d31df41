#!/bin/sh
# The PostgreSQL image runs this when its volume is new. It creates a database for each service; only that service's user
# has access to it.
set -eu
for service in users products orders; do
  export service
  psql --set ON_ERROR_STOP=1 --username postgres --set service="$service" <<'SQL'
\set password `cat "/run/secrets/$service-password"`
create role :"service" login password :'password';
create database :"service" owner :"service";
revoke connect on database :"service" from public;
SQL
done
