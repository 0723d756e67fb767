"""Many items in one request."""
