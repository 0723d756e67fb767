"""Meta's Marketing API."""
