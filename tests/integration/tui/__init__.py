"""The dashboard on a scripted feed, driven by keys and mouse."""
