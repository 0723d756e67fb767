"""Answers of models become content."""
