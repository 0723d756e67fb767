"""A daemon that follows a script, for tests and pictures of the dashboard."""
