"""How things stand, in words."""
