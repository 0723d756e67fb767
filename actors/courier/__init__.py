"""Deliveries, carried to webhooks."""
