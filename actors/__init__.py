"""The daemon's actors, a package each: `messages.py` says what may be said, `actor.py` does it.

Actors know ports, never adapters: `engarde_daemon/daemon.py` gives them what they need.
"""
