"""What operators order after a loss: restore, verify, migrate."""
