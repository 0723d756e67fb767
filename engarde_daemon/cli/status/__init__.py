"""`engarde status`: how things stand, on one screen."""
