"""The dashboard in a browser: `engarde tui --web`."""
