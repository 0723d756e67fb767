"""`engarde archive`: questions to the archive, and what waits for it."""
