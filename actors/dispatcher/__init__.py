"""Imports, begun and cancelled by somebody's wish."""
