"""PostgreSQL itself, and everything of ours that speaks to it."""
