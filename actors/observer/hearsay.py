"""What happened to tenants, read from the log of all of them while somebody watches.

The log knows an order within a tenant only, so the last moments are read again each time and what
was told is left out. Owns the bound: of more than `TOLD_MOST` events the newest are told, and after
a pause of more than `BACK_MOST_S` not what happened before. Reading takes a small share of the time.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from engarde_daemon.domain.safety.happenings import TOLD_BY_STORES, tenant_severity, tenant_text
from engarde_daemon.ports.overview import Happening, OverviewReader
from engarde_daemon.protocol import FeedEvent

TOLD_MOST = 500
BACK_MOST_S = 60.0
OVERLAP_S = 3.0
REST_SHARE = 10.0
REST_MAX_S = 3.0


class Hearsay:
    """Reads on from where it was."""

    def __init__(self, reader: OverviewReader, clock: Callable[[], float]) -> None:
        self._reader = reader
        self._clock = clock
        self._not_before = 0.0
        self._read_to: datetime | None = None
        self._told: dict[str, int] = {}

    async def listen(self, now: datetime) -> tuple[Sequence[FeedEvent], bool]:
        """What is new, and whether that is all; the first time, what has just happened.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        began = self._clock()
        if began < self._not_before:
            return [], True
        since = max(self._read_to or now, now - timedelta(seconds=BACK_MOST_S))
        found = await self._reader.happenings(since - timedelta(seconds=OVERLAP_S), most=TOLD_MOST)
        fresh = [one for one in found if one.position > self._told.get(one.tenant_id, 0)]
        self._remember(found)
        took_s = self._clock() - began
        self._not_before = self._clock() + min(REST_MAX_S, REST_SHARE * took_s)
        self._read_to = now
        told = [_event_of(one) for one in fresh if one.type not in TOLD_BY_STORES]
        return told, len(found) < TOLD_MOST or found[0].occurred_at <= since

    def _remember(self, found: Sequence[Happening]) -> None:
        """Keep the places of those who can come up again at the next reading, and of nobody else."""
        places: dict[str, int] = {}
        for one in found:
            told = self._told.get(one.tenant_id, 0)
            places[one.tenant_id] = max(places.get(one.tenant_id, told), one.position)
        self._told = places


def _event_of(one: Happening) -> FeedEvent:
    return FeedEvent(
        at=one.occurred_at,
        source="tenants",
        type=one.type,
        severity=tenant_severity(one.type),
        text=tenant_text(one.type, one.version, one.data),
        subject=one.subject_id,
        tenant_id=one.tenant_id,
    )
