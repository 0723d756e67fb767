"""Who and what the examples are about: one item of one brand, and its author."""

from datetime import UTC, datetime

ITEM = "01a20506-e2c2-75db-bf6a-a94a82058695"
BRAND = "3b420be8-b939-4cc9-900b-08afc95319f8"
TENANT = "65d0ae60-3d0c-4c6e-9f5c-6f2f1f3c9a41"
USER = "3bea87c0-9a45-48ff-95f4-afbafe6cfeeb"
OTHER = "01a20532-5240-73c4-b1fa-18fe65118758"
"""The id of whatever else there is one of."""
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BODY = "Spring is here.\nOur new shoes are light and dry.\nOrder today."
