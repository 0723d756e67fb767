"""Operators at a real daemon."""
