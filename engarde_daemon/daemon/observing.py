"""Everything between the state of this daemon and those who watch it."""

import os
import secrets
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version

from actors.delivery.messages import Wake as WakeDelivery
from actors.indexer.messages import Wake as WakeIndexer
from actors.observer.actor import Observer, ObserverPace
from actors.observer.lookout import Surroundings
from actors.observer.messages import LookNow
from actors.replicator.messages import Wake as WakeReplicator
from engarde_daemon.adapters.postgres.overview import PostgresDaemonRegister, PostgresOverview
from engarde_daemon.api.access import Authenticate
from engarde_daemon.api.admin.feed import Feed
from engarde_daemon.api.admin.overview import OverviewDesk
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.traffic import Traffic
from engarde_daemon.config import Settings
from engarde_daemon.core import Address, HealthReport, KernelEvent, Supervisor
from engarde_daemon.daemon.board import Board
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.stores import Stores
from engarde_daemon.daemon.waking import wake
from engarde_daemon.domain.safety.happenings import actor_event
from engarde_daemon.domain.vitals import NewsVitals
from engarde_daemon.ports.overview import Identity


class Observing:
    """Adds the observer to the tree, and gives the edge what it needs of it.

    `feed` is there from the start, because actors start and crash before anybody watches.
    """

    def __init__(self) -> None:
        self.feed = Feed(secrets.token_hex(4))
        self.traffic = Traffic()
        self._began_at = datetime.now(UTC)

    def report(self, event: KernelEvent) -> None:
        """Tell those who watch what happened to an actor."""
        self.feed.tell([actor_event(event, datetime.now(UTC))])

    def add_observer(
        self,
        settings: Settings,
        stores: Stores,
        pipelines: Supervisor,
        *,
        board: Board,
        health: Callable[[], HealthReport],
        news: Callable[[], NewsVitals],
    ) -> None:
        """Add the actor that looks."""
        writers = stores.sessions.writers
        self._office = PostgresOverview(writers, settings.catalogue())
        around = Surroundings(
            identity=_identity(settings),
            health=health,
            vitals=board.read,
            news=news,
            clock=time.monotonic,
            now=lambda: datetime.now(UTC),
            began_at=self._began_at,
            archive_name="BigQuery" if settings.bigquery.mode == "bigquery" else "the archive",
        )
        self._observer = observer = pipelines.add(
            "observer",
            lambda: Observer(
                around,
                register=PostgresDaemonRegister(writers),
                reader=self._office,
                audience=self.feed,
                counts=self.traffic.counts,
                pace=ObserverPace(),
            ),
            capacity=64,
        )
        board.changed = lambda: wake(observer, LookNow())

    def desk(
        self,
        hub: Hub,
        authenticate: Authenticate,
        *,
        delivery: Address[WakeDelivery],
        replicator: Address[WakeReplicator],
        indexer: Address[WakeIndexer],
    ) -> OverviewDesk:
        """What the routes need."""
        wakes = {
            "delivery": lambda: wake(delivery, WakeDelivery()),
            "archive": lambda: wake(replicator, WakeReplicator()),
            "index": lambda: wake(indexer, WakeIndexer()),
        }
        return OverviewDesk(
            self._observer,
            self._office,
            feed=self.feed,
            hub=hub,
            authenticate=authenticate,
            wake=lambda queue: wakes[queue](),
        )


def _identity(settings: Settings) -> Identity:
    server = settings.server
    return Identity(
        id=new_id(),
        name=socket.gethostname()[:255],
        address=f"{server.host}:{server.port}",
        version=version("engarde-daemon"),
        pid=os.getpid(),
    )
