"""Retention by plan against a real database."""
