"""What the dashboard is made of, without a screen."""
