"""What opens over a page: a question, an answer, help."""
