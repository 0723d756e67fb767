"""Webhooks, as their tenants set them up."""
