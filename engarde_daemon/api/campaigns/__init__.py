"""Campaign spaces over HTTP."""
