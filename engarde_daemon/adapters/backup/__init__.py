"""Backups in a folder: what lies in one, and how it is proved to be whole."""
