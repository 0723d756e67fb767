"""Ad platforms through their adapters, without a daemon."""
