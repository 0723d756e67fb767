"""What operators see, and how soon."""
