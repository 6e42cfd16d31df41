#!/bin/sh
# The MariaDB image runs this script when it starts with an empty volume. The script creates a database and a user for
# each service; only that user has access to the database.
set -eu
for service in users products orders; do
  mariadb --user=root --password="$(cat /run/secrets/administrator-password)" <<SQL
create database $service character set utf8mb4;
create user $service@'%' identified by '$(cat "/run/secrets/$service-password")';
grant all on $service.* to $service@'%';
SQL
done
