"""Batch generation as Content Studio uses it."""
