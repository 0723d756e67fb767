"""Tests of the rules of generation."""
