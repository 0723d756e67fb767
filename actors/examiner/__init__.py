"""Keys are tried before they are trusted."""
