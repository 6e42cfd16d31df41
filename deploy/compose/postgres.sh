#!/bin/sh
# PostgreSQL's image runs this when its volume is new. Creates a database for each service, with a user who can access
# only this database.
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
