"""Makes files of uploads that came in parts, where nobody else is left to do it."""
