"""ZeroDB, the store of bodies."""
