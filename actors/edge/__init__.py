"""The HTTP server, as the last part to start and the first to stop."""
