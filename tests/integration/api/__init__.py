"""Parts of the HTTP API on a real PostgreSQL, with a clock that the test turns."""
