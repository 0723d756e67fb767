"""What daemon and dashboard say to each other."""
