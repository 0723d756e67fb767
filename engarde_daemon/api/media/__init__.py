"""Media files over HTTP: they come in and go out as streams."""
