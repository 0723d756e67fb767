"""Media files over HTTP, on a real daemon."""
