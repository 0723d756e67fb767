"""Full text, kept up with the writes."""
