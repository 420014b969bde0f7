#!/bin/sh
# Temporal's images take the database password from the environment alone. Here it comes from a file, so that it
# stands in no compose file and no `docker inspect`.
set -eu

POSTGRES_PWD=$(cat "${DATABASE_PASSWORD_FILE:?names the file with the password}")
[ -n "$POSTGRES_PWD" ] || {
    echo "$DATABASE_PASSWORD_FILE is empty; expected the database password" >&2
    exit 1
}
# The server reads the first name, temporal-sql-tool the second.
SQL_PASSWORD=$POSTGRES_PWD
export POSTGRES_PWD SQL_PASSWORD

exec "$@"
