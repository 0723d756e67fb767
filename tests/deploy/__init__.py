"""What lies in `deploy/` is what the daemon needs and serves."""
