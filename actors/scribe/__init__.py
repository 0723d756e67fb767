"""Steps of generation, written down in groups."""
