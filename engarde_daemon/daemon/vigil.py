"""Everything between the daemon and the stores outside: breakers, guards and the watch over them.

Owns the one way to ZeroDB and to the archive: whoever needs them gets the guarded ones from here.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from actors.delivery.packing import Packer
from actors.health.actor import Health
from actors.health.messages import HealthMessage, ProbeDue
from actors.health.watch import ARCHIVE, ZERODB, StoreWatch, WatchRules
from actors.recovery.actor import Recovery, RecoveryPace
from actors.recovery.checking import Checker
from actors.recovery.errands import Errand, Restore, Verify, Walk
from actors.recovery.messages import RecoveryMessage
from actors.recovery.moving import Migrate
from actors.recovery.restoring import Restorer
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies, StagedBodies
from engarde_daemon.adapters.guard import Guard, GuardedArchive, GuardedBodies
from engarde_daemon.adapters.postgres.jobs import PostgresInventory, PostgresJobBook
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.recovery import (
    PostgresBulletin,
    PostgresLatches,
    PostgresSamples,
    PostgresSignpost,
)
from engarde_daemon.config import Settings
from engarde_daemon.core import Address, Supervisor
from engarde_daemon.daemon.board import Board
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.stores import Stores
from engarde_daemon.daemon.waking import wake
from engarde_daemon.domain.breaker import Breaker, BreakerRules
from engarde_daemon.domain.failover import Failover, FailoverRules
from engarde_daemon.domain.recovery import JobKind
from engarde_daemon.ports.archive import Span
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.history import Comparer

LOOKS_TO_SETTLE = 3
"""After how many looks of a daemon's own every other daemon has looked, too."""


class RecoveryParts(msgspec.Struct, frozen=True, kw_only=True):
    """What recovery shares with others: the staged bodies, the comparer and the pace."""

    staged: StagedBodies
    comparer: Comparer
    rest_s: Callable[[], float]


class Vigil:
    """Puts guards before the stores, and adds the health actor to the tree."""

    def __init__(self, settings: Settings, stores: Stores, board: Board) -> None:
        self._given = settings
        self._settings = settings.health
        self._stores = stores
        self._board = board
        self._health: Address[HealthMessage] | None = None
        self._zerodb_guard = self._guard(ZERODB)
        self._archive_guard = self._guard(ARCHIVE)
        self._failover = Failover(self._failover_rules(), clock=time.monotonic)
        self.zerodb = GuardedBodies(
            stores.zerodb, self._zerodb_guard, patience_s=self._settings.read_patience_s
        )
        self.archive = GuardedArchive(stores.archive, self._archive_guard)

    def prefers_archive(self) -> bool:
        """Whether bodies are to be read from the archive before ZeroDB."""
        return self._failover.prefers_archive

    def zerodb_is_open(self) -> bool:
        """Whether ZeroDB may be given anything."""
        return self._zerodb_guard.is_closed

    def add_health(
        self, root: Supervisor, outbox: PostgresOutbox, wake_delivery: Callable[[], None]
    ) -> Address[HealthMessage]:
        """Add the actor that keeps watch."""
        watch = self._watch(outbox, wake_delivery)
        self._health = root.add(
            "health",
            lambda: Health(
                outbox,
                watch,
                vitals=self._board.read,
                publish=self._board.post,
                publish_stores=self._board.post_stores,
                clock=time.monotonic,
                every_s=self._settings.probe_every_s,
            ),
            capacity=16,
        )
        return self._health

    def add_recovery(self, pipelines: Supervisor, parts: RecoveryParts) -> Address[RecoveryMessage]:
        """Add the actor that restores, verifies and migrates."""
        given, writers = self._given.recovery, self._stores.sessions.writers
        errands = self._errands(parts)
        return pipelines.add(
            "recovery",
            lambda: Recovery(
                book=PostgresJobBook(writers),
                bulletin=PostgresBulletin(writers),
                errands=errands,
                new_id=new_id,
                pace=RecoveryPace(lease_s=given.lease_s),
            ),
            capacity=64,
        )

    def _errands(self, parts: RecoveryParts) -> dict[JobKind, Errand]:
        """How each kind of job is done."""
        given, writers = self._given.recovery, self._stores.sessions.writers
        inventory = PostgresInventory(writers)
        bodies = LayeredBodies(BodyCache(0), parts.staged, self.zerodb, archive=self.archive)
        walk = Walk(
            inventory,
            page_versions=given.page_versions,
            page_bytes=given.page_bytes,
            versions_per_s=given.versions_per_s,
            rest_s=parts.rest_s,
        )
        packer = Packer(bodies, parts.comparer)

        def restorer(store: BodyStore) -> Restorer:
            return Restorer(inventory, store, archive=self.archive, packer=packer)

        def checker(store: BodyStore) -> Checker:
            return Checker(inventory, store, self.archive)

        return {
            JobKind.RESTORE: Restore(walk, restorer(self.zerodb)),
            JobKind.VERIFY: Verify(walk, checker(self.zerodb)),
            JobKind.MIGRATE: Migrate(
                walk,
                self._stores.zerodb,
                PostgresSignpost(writers),
                restorer=restorer,
                checker=checker,
                settle_s=LOOKS_TO_SETTLE * self._settings.probe_every_s,
            ),
        }

    def _watch(self, outbox: PostgresOutbox, wake_delivery: Callable[[], None]) -> StoreWatch:
        writers = self._stores.sessions.writers
        return StoreWatch(
            zerodb=self._zerodb_guard,
            store=self._stores.zerodb,
            archive=self._archive_guard,
            ask_archive=self._ask_archive,
            failover=self._failover,
            latches=PostgresLatches(writers),
            signpost=PostgresSignpost(writers),
            use=self._stores.zerodb.use,
            samples=PostgresSamples(writers),
            bulletin=PostgresBulletin(writers),
            outbox=outbox,
            wake_delivery=wake_delivery,
            rules=WatchRules(
                probe_timeout_s=self._settings.probe_timeout_s,
                sampled_reads=self._settings.verified_reads,
            ),
        )

    async def _ask_archive(self) -> None:
        now = datetime.now(UTC)
        await self._stores.archive.newest("", [""], Span(now, now))

    def _guard(self, name: str) -> Guard:
        given = self._settings
        rules = BreakerRules(
            failures_in_a_row=given.failures_in_a_row,
            slow_s=given.slow_s,
            open_s=given.open_s,
            open_max_s=given.open_max_s,
        )
        breaker = Breaker(rules, clock=time.monotonic, chance=random.random)
        return Guard(name, breaker, changed=self._store_changed)

    def _failover_rules(self) -> FailoverRules:
        return FailoverRules(
            failover_after_s=self._settings.failover_after_s,
            verified_reads=self._settings.verified_reads,
        )

    def _store_changed(self) -> None:
        if self._health is not None:
            wake(self._health, ProbeDue())
