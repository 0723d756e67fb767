"""Media files outside of PostgreSQL: their bytes, and what can be read from them."""
