"""Actors, each under a supervisor of its own."""
