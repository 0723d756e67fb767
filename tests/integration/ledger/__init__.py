"""The quota ledger on a real PostgreSQL, against a model of it in memory."""
