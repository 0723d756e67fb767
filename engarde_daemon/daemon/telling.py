"""Everything between an event and those who are told of it, put together from the settings."""

import random
import secrets
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from actors.courier.actor import Courier, CourierPace
from actors.courier.messages import Wake
from actors.courier.rounds import RoundRules, Rounds
from actors.courier.tally import Tally
from actors.herald.actor import Herald, HeraldPace
from actors.herald.messages import Announce
from actors.herald.tidings import Tidings
from actors.ingest.messages import Written
from actors.postmaster.actor import Postmaster
from engarde_daemon.adapters.http import Gate, open_client
from engarde_daemon.adapters.http.mailman import HttpMailman
from engarde_daemon.adapters.postgres.bell import PostgresBell
from engarde_daemon.adapters.postgres.events import PostgresEventReader
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.adapters.postgres.webhooks import (
    PostgresPostOffice,
    PostgresWebhookBook,
    PostgresWebhookLibrary,
)
from engarde_daemon.adapters.secrets import EnvelopeBox, load_keys
from engarde_daemon.api.access import Authenticate
from engarde_daemon.api.app import TellingServices
from engarde_daemon.api.events.controller import Listening
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.events.wire import StreamRules
from engarde_daemon.api.webhooks.desk import WebhookDesk
from engarde_daemon.config import Settings
from engarde_daemon.core import Supervisor
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.waking import wake
from engarde_daemon.domain.vitals import NewsVitals
from engarde_daemon.domain.webhooks import Schedule

WRITE_TIMEOUT_S = 20.0
SETTLE_S = 3.0
"""What a courier's lease lasts longer than the calls it is for."""
LETTERS_PER_POST = 8
DAY_S = 86_400


class Telling:
    """Adds the actors of events to the tree, and gives the edge what it needs of them."""

    def __init__(self, settings: Settings, sessions: Sessions, pipelines: Supervisor) -> None:
        self._settings = settings
        self._sessions = sessions
        self.gate = Gate(allow_private=settings.limits.allow_private_addresses)
        self._reader = PostgresEventReader(sessions.readers)
        self.box = secret_box(settings)
        self._tidings = Tidings()
        self._tally = Tally()
        self.hub = Hub(
            self._reader,
            listeners_max=settings.events.listeners_max,
            window_bytes=settings.events.window_bytes,
        )
        self._courier = pipelines.add("courier", self._make_courier, capacity=2)
        self._herald = pipelines.add("herald", self._make_herald, capacity=2)
        self._postmaster = pipelines.add("postmaster", self._make_postmaster, capacity=64)

    def written(self, versions: Sequence[Written]) -> None:
        """Have it told that these were written."""
        self.happened([made.item.tenant_id for made in versions])

    def happened(self, tenant_ids: Sequence[str]) -> None:
        """Have it told that the log of events has news of these tenants."""
        self._tidings.note(tenant_ids)
        wake(self._herald, Announce())

    def services(self, authenticate: Authenticate) -> TellingServices:
        """What the application needs."""
        settings = self._settings.events
        return TellingServices(
            listening=Listening(
                hub=self.hub,
                reader=self._reader,
                rules=StreamRules(heartbeat_s=settings.heartbeat_s, recheck_s=settings.heartbeat_s),
                authenticate=authenticate,
            ),
            webhooks=WebhookDesk(
                postmaster=self._postmaster,
                library=PostgresWebhookLibrary(self._sessions.readers),
                url_fault=self.gate.fault,
                timeout_s=WRITE_TIMEOUT_S,
            ),
            news=self.news,
        )

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """Make ready for another file of keys; to be called to take it."""
        keys = load_keys(secret_key_file(settings), secrets.token_bytes, make=False)
        return lambda: self.box.adopt(keys)

    def _make_herald(self) -> Herald:
        poll_s = self._settings.events.poll_s
        return Herald(
            reader=self._reader,
            audience=self.hub,
            book=PostgresWebhookBook(self._sessions.writers),
            bell=PostgresBell(self._sessions.connect_apart, retry_s=poll_s),
            tidings=self._tidings,
            made=self._wake_courier,
            pace=HeraldPace(poll_s=poll_s),
            clock=time.monotonic,
        )

    def _make_courier(self) -> Courier:
        given = self._settings.webhooks
        office = PostgresPostOffice(self._sessions.writers, lambda: self.box.key_ids)
        client = open_client(self.gate, connections=given.in_flight * LETTERS_PER_POST)
        rounds = Rounds(
            office=office,
            mailman=HttpMailman(
                client,
                timeout_s=given.timeout_s,
                sender=f"engarde/{version('engarde-daemon')}",
            ),
            box=self.box,
            rules=RoundRules(
                schedule=Schedule.parse(given.retry_delays),
                patience_s=given.disable_after_days * DAY_S,
            ),
            tally=self._tally,
            random=random.random,
            now=time.time,
        )
        pace = CourierPace(
            places=given.in_flight,
            letters_per_post=LETTERS_PER_POST,
            lease_s=given.timeout_s + SETTLE_S,
            poll_s=self._settings.events.poll_s,
        )
        return Courier(office=office, rounds=rounds, pace=pace, tally=self._tally)

    def _make_postmaster(self) -> Postmaster:
        given = self._settings.webhooks
        return Postmaster(
            book=PostgresWebhookBook(self._sessions.writers),
            box=self.box,
            new_id=new_id,
            randomness=secrets.token_bytes,
            webhooks_max=given.per_tenant_max,
            overlap_s=given.secret_overlap_s,
            wake_courier=self._wake_courier,
        )

    def _wake_courier(self) -> None:
        wake(self._courier, Wake())

    def news(self) -> NewsVitals:
        """How telling goes."""
        backlog = self._tally.backlog
        return NewsVitals(
            listeners=self.hub.listeners,
            listeners_cut_off=self.hub.cut_off,
            deliveries_waiting=backlog.waiting,
            oldest_delivery_age_s=backlog.oldest_age_s,
            webhooks_failing=backlog.failing,
            webhooks_disabled=backlog.disabled,
            webhooks_locked=backlog.locked,
            attempts=self._tally.attempts,
        )


def secret_box(settings: Settings) -> EnvelopeBox:
    """The box of all secrets that the daemon keeps for tenants; its key is made where none is named.

    Raises:
        Rejected: The key file that is named is missing, or holds something else than keys.
        OSError: The key file cannot be read or written.
    """
    named = settings.secrets.key_file
    keys = load_keys(secret_key_file(settings), secrets.token_bytes, make=not named)
    return EnvelopeBox(keys, secrets.token_bytes)


def secret_key_file(settings: Settings) -> Path:
    """Where the keys of all secrets lie."""
    named = settings.secrets.key_file
    return Path(named).expanduser() if named else settings.storage.secret_key_file
