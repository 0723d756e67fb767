"""What the actors need of the outside, named by their need; adapters answer it."""
