"""The daemon on a ZeroDB that is a server."""
