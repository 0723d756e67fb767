"""`engarde export` and `engarde import`: content to a file and back, over HTTP."""
