"""Outbox, delivery, index and sweeper on a real PostgreSQL."""
