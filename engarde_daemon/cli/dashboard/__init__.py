"""`engarde tui` and `engarde run --tui`: the dashboard, always in a process of its own."""
