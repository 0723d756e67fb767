"""Who did what, written down after the answer."""
