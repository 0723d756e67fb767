"""Figures of content against real stores."""
