"""Backups of the embedded stores, taken from and put back under real daemons."""
