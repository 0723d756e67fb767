"""The document, its page, and what they are made of."""
