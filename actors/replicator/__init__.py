"""Versions on their way from PostgreSQL to the archive."""
