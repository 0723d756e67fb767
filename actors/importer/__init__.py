"""Campaigns of ad platforms become content."""
