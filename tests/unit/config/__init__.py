"""The configuration: how it is read, refused and documented."""
