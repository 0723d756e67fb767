"""`engarde retention`."""
