#!/bin/sh
# Run by MariaDB's image when its volume is new: a database for each service, which only its own user gets into.
set -eu
for service in users products orders; do
  mariadb --user=root --password="$(cat /run/secrets/administrator-password)" <<SQL
create database $service character set utf8mb4;
create user $service@'%' identified by '$(cat "/run/secrets/$service-password")';
grant all on $service.* to $service@'%';
SQL
done
