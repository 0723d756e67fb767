"""Imports of campaigns as Content Studio uses them."""
