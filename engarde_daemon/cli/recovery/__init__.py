"""`engarde restore`, `engarde verify` and `engarde migrate zerodb`: orders to a running daemon."""
