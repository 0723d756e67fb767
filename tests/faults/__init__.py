"""What must hold after crashes, races and restarts, shown with real processes."""
