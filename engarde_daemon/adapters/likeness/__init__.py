"""Search by meaning, for the embedded ZeroDB."""
