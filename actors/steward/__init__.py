"""Chores that keep the database small."""
