"""What mypy must accept and refuse."""
