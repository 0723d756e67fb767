"""Events and webhooks on a real PostgreSQL."""
