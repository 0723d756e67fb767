"""Who may do what: tokens, keys, brands, rates, and the log of it."""
