"""Jobs and credentials, changed by somebody's wish."""
