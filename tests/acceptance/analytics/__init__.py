"""Figures of content, from end to end."""
