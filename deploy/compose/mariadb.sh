#!/bin/sh
# MariaDB's image runs this when its volume is new. Creates a database for each service, with a user who can access only
# this database.
set -eu
for service in users products orders; do
  mariadb --user=root --password="$(cat /run/secrets/administrator-password)" <<SQL
create database $service character set utf8mb4;
create user $service@'%' identified by '$(cat "/run/secrets/$service-password")';
grant all on $service.* to $service@'%';
SQL
done
