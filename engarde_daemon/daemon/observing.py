"""Everything between the state of this daemon and those who watch it."""

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

import structlog

from actors.dispatcher.messages import DispatcherMessage
from actors.foreman.messages import ForemanMessage
from actors.observer.actor import Observer, ObserverPace
from actors.observer.lookout import Surroundings
from actors.observer.messages import LookNow
from actors.recovery.messages import RecoveryMessage
from engarde_daemon.adapters.postgres.overview import PostgresDaemonRegister, PostgresOverview
from engarde_daemon.api.access import Authenticate
from engarde_daemon.api.admin.feed import Feed
from engarde_daemon.api.admin.jobs import JobSteering
from engarde_daemon.api.admin.overview import OverviewDesk
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.traffic import Traffic
from engarde_daemon.config import Settings
from engarde_daemon.core import Address, HealthReport, KernelEvent, Supervisor
from engarde_daemon.daemon.board import Board
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.stores import Stores
from engarde_daemon.daemon.waking import wake
from engarde_daemon.domain.plans import Plan
from engarde_daemon.domain.safety.happenings import actor_event
from engarde_daemon.domain.vitals import NewsVitals
from engarde_daemon.ports.overview import Identity

STEER_TIMEOUT_S = 20.0

_LOG = structlog.get_logger("engarde.actors")


class Observing:
    """Adds the observer to the tree, and gives the edge what it needs of it.

    `feed` is there from the start, because actors start and crash before anybody watches.
    """

    def __init__(
        self, settings: Settings, stores: Stores, board: Board, *, plans: Mapping[str, Plan]
    ) -> None:
        self._settings = settings
        self._board = board
        self._register = PostgresDaemonRegister(stores.sessions.writers)
        self._office = PostgresOverview(stores.sessions.writers, plans)
        self.feed = Feed(secrets.token_hex(4))
        self.traffic = Traffic()
        self._began_at = datetime.now(UTC)

    def report(self, event: KernelEvent) -> None:
        """Tell the log and those who watch what happened to an actor; a crash with its story."""
        fields = {"actor": event.path, "delay_s": event.delay_s, "messages": event.messages}
        if event.error is None:
            _LOG.info(event.kind.value, **fields)
        else:
            _LOG.error(event.kind.value, exc_info=event.error, **fields)
        self.feed.tell([actor_event(event, datetime.now(UTC))])

    def add_observer(
        self,
        pipelines: Supervisor,
        health: Callable[[], HealthReport],
        news: Callable[[], NewsVitals],
    ) -> None:
        """Add the actor that looks."""
        is_bigquery = self._settings.bigquery.mode == "bigquery"
        around = Surroundings(
            identity=_identity(self._settings),
            health=health,
            vitals=self._board.read,
            news=news,
            clock=time.monotonic,
            now=lambda: datetime.now(UTC),
            began_at=self._began_at,
            archive_name="BigQuery" if is_bigquery else "the archive",
        )
        self._observer = observer = pipelines.add(
            "observer",
            lambda: Observer(
                around,
                register=self._register,
                reader=self._office,
                audience=self.feed,
                counts=self.traffic.counts,
                pace=ObserverPace(),
            ),
            capacity=64,
        )
        self._board.changed = lambda: wake(observer, LookNow())

    def desk(
        self,
        hub: Hub,
        authenticate: Authenticate,
        *,
        wakes: Mapping[str, Callable[[], None]],
    ) -> OverviewDesk:
        """What the routes need; `wakes` rouses who works a queue off."""
        return OverviewDesk(
            self._observer,
            self._office,
            feed=self.feed,
            hub=hub,
            authenticate=authenticate,
            wake=lambda queue: wakes[queue](),
        )

    def job_steering(
        self,
        *,
        foreman: Address[ForemanMessage],
        dispatcher: Address[DispatcherMessage],
        recovery: Address[RecoveryMessage],
    ) -> JobSteering:
        """What the routes need that end and repeat jobs."""
        return JobSteering(
            self._office,
            foreman=foreman,
            dispatcher=dispatcher,
            recovery=recovery,
            timeout_s=STEER_TIMEOUT_S,
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
