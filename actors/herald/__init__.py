"""News, on their way to those who listen and to those who are called."""
