"""The stores that live and die with the daemon."""
