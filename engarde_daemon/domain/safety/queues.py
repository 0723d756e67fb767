"""What waits, on each of the ways out of PostgreSQL."""

from collections.abc import Sequence

from engarde_daemon.domain.safety.scene import Scene
from engarde_daemon.protocol import BacklogView


def backlog_of(scene: Scene) -> Sequence[BacklogView]:
    """The four queues, empty ones too."""
    delivery, archive = scene.waiting("zerodb"), scene.waiting("bigquery")
    index, vitals = scene.waiting("search"), scene.vitals
    return [
        BacklogView(
            queue="delivery",
            title="to ZeroDB",
            rows=delivery.rows,
            oldest_age_s=delivery.oldest_age_s,
            size_bytes=vitals.staged_bytes,
            limit_bytes=vitals.staging_limit_bytes,
        ),
        BacklogView(
            queue="archive",
            title=f"to {scene.archive_name}",
            rows=archive.rows + vitals.archive.backfill,
            oldest_age_s=archive.oldest_age_s,
            parked=vitals.archive.parked,
        ),
        BacklogView(
            queue="index",
            title="to the full-text index",
            rows=index.rows,
            oldest_age_s=index.oldest_age_s,
        ),
        BacklogView(
            queue="webhooks",
            title="to webhooks",
            rows=scene.news.deliveries_waiting,
            oldest_age_s=scene.news.oldest_delivery_age_s,
        ),
    ]
