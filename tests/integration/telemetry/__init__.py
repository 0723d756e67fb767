"""Spans and where they go."""
