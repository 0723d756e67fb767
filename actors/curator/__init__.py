"""Looks into new media files, and clears away what nobody keeps."""
