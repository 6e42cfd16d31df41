#!/bin/sh
# The PostgreSQL image runs this script when it starts with an empty volume. The script creates a database and a user
# for each service; only that user has access to the database.
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
