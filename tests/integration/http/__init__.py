"""The way out of the daemon, with real servers on this machine."""
