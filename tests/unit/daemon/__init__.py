"""The composition root's own small rules."""
