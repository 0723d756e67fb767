"""Imports of campaigns over HTTP."""
