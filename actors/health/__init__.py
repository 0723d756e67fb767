"""How the stores are, looked at all the time."""
