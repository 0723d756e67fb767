"""What a migration does to a database that the platform already lives in."""
