"""Search by meaning at its own file."""
