"""The En Garde content daemon: content goes in, is safe, and comes back."""
