"""Disasters, played with real processes."""
