"""The database of a site: SQLite in WAL mode, written by one hub, read by everybody else while it runs."""
