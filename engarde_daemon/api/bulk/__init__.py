"""Many items in one request: create, and change by id or by filter."""
