"""The delivery actor as tests have it: without a cache that would hide a loss, and hardly ever at rest."""

from collections.abc import Callable

from actors.delivery.actor import Delivery, DeliveryPace
from actors.delivery.packing import Packer
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.comparing import ThreadedComparer
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.ports.bodies import BodyStore


def delivery_to(
    store: BodyStore,
    sessions: Sessions,
    *,
    lanes: int = 1,
    poll_s: float = 60.0,
    rest_s: Callable[[], float] = lambda: 0.0,
) -> Delivery:
    """An actor that carries what this database stages to this store."""
    bodies = LayeredBodies(BodyCache(0), PostgresLibrary(sessions.readers), store)
    return Delivery(
        PostgresOutbox(sessions.writers),
        store,
        Packer(bodies, ThreadedComparer()),
        pace=DeliveryPace(batches_in_flight=lanes, poll_s=poll_s),
        rest_s=rest_s,
        is_open=lambda: True,
    )


async def settle_archive(outbox: PostgresOutbox) -> None:
    """Let the archive have everything, where a test is not about it."""
    await outbox.settle(await outbox.claim("bigquery", limit=10_000, lease_s=0.0))
