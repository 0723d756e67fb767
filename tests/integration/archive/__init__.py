"""The embedded archive and the way to it."""
