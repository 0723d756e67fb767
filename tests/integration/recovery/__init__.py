"""Failover and recovery on a real PostgreSQL."""
