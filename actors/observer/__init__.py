"""What operators see: how this daemon is, and what happens around it."""
