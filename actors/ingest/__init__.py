"""All writes of content, committed in groups."""
