"""Brands and their voices over HTTP."""
