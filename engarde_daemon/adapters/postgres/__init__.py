"""PostgreSQL: the store that decides what is true."""
