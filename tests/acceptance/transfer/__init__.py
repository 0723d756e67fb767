"""Content that leaves as lines of JSON, and comes in again."""
