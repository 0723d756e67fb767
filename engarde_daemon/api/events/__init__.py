"""Events over HTTP, as they happen (server-sent events)."""
