"""Group commit on a real PostgreSQL: rounds, races and refusals."""
