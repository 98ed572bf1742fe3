"""The record in SQL: SQLite, with a schema that PostgreSQL takes as it is."""
