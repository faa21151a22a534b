"""PostgreSQL: tables, migrations, the archive of the log, the projection. SQL lives here and in the api's queries."""
