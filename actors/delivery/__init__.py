"""Bodies on their way from PostgreSQL to ZeroDB."""
