"""Content over HTTP: create, list, read, change, delete."""
