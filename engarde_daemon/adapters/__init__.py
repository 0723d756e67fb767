"""The outside world, each store and service behind the port that the actors know."""
