"""`engarde backup` and `engarde restore backup`: the embedded stores, kept elsewhere and put back."""
