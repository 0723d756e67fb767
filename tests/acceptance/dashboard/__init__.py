"""The dashboard in a real terminal, before a real daemon."""
