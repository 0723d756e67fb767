"""`engarde migrate campaign-assets` and `engarde migrate content-items`."""
