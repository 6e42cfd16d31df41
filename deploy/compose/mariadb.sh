#!/bin/sh
# The MariaDB image runs this when its volume is new. It creates a database for each service; only that service's user
# has access to it.
set -eu
for service in users products orders; do
  mariadb --user=root --password="$(cat /run/secrets/administrator-password)" <<SQL
create database $service character set utf8mb4;
create user $service@'%' identified by '$(cat "/run/secrets/$service-password")';
grant all on $service.* to $service@'%';
SQL
done
