"""The edge's pure parts: from bytes to checked values."""
