#!/bin/sh
# Makes Temporal's two databases, or brings them up to this version of the server. Safe to run again: what is there
# already is left alone. Where the databases are: SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER, SQL_PASSWORD.
set -eu

up_to_date() {
    database=$1
    versions=$2
    temporal-sql-tool --db "$database" create
    temporal-sql-tool --db "$database" setup-schema -v 0.0
    temporal-sql-tool --db "$database" update-schema -d "$versions"
}

up_to_date temporal /etc/temporal/schema/postgresql/v12/temporal/versioned
up_to_date temporal_visibility /etc/temporal/schema/postgresql/v12/visibility/versioned
