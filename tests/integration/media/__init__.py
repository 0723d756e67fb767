"""The books of media files, and what happens to their bytes."""
