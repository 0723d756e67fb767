"""The books of media files, and the way by which a file is taken in."""
