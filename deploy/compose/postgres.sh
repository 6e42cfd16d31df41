#!/bin/sh
# Run by PostgreSQL's image when its volume is new: a database for each service, which only its own user gets into.
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
