"""What operators see and do: everything here needs the role `operator`."""
