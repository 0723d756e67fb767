"""Batch generation over HTTP."""
