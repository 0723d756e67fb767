"""Jobs and claims on a real database."""
