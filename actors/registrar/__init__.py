"""Keys, voices and campaign spaces: what is written beside content."""
