"""What a folder must be to be a backup."""
