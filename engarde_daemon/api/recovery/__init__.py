"""Failover and recovery, for operators."""
