"""Batch generation: claims, calls, and what comes of them."""
