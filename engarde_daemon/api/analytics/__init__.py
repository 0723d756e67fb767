"""Figures of content, as clients send and ask for them."""
