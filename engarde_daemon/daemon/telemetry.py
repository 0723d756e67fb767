"""What becomes of the parts of the daemon where somebody wants to see their spans.

Owns the switch: without an endpoint every part is as it was, and the library is not even imported.
"""

from contextlib import AsyncExitStack
from importlib.metadata import version

import asyncpg
import msgspec
from litestar.types import ASGIApp

from engarde_daemon.adapters.postgres.tracing import PostgresTraceBook
from engarde_daemon.adapters.telemetry import (
    TracedContentLog,
    TracedModels,
    TracedOutbox,
    TracedStreamBook,
)
from engarde_daemon.api.tracing import Traced
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import EngardeError
from engarde_daemon.ports.content import ContentLog
from engarde_daemon.ports.models import ModelHouse
from engarde_daemon.ports.outbox import Outbox
from engarde_daemon.ports.replication import StreamBook
from engarde_daemon.ports.tracing import TraceBook, Tracer


class NotInstalled(EngardeError):
    """Telemetry is on, and the library for it is missing."""

    type_ = "not_installed"
    title = "A part of the daemon is not installed"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "[telemetry] endpoint needs the extra `otel`: pip install 'engarde-daemon[otel]', "
            "or leave the endpoint empty."
        )


class Instruments(msgspec.Struct, frozen=True):
    """Makes parts tell of their work; without a tracer they stay as they are."""

    tracer: Tracer | None
    causes: TraceBook

    def content_log(self, log: ContentLog) -> ContentLog:
        """What commits versions."""
        return log if self.tracer is None else TracedContentLog(log, self.tracer)

    def outbox(self, outbox: Outbox) -> Outbox:
        """What delivery takes from."""
        return outbox if self.tracer is None else TracedOutbox(outbox, self.causes, self.tracer)

    def stream_book(self, book: StreamBook) -> StreamBook:
        """What the replicator of versions takes from."""
        return book if self.tracer is None else TracedStreamBook(book, self.causes, self.tracer)

    def models(self, house: ModelHouse) -> ModelHouse:
        """What knows the models that are called."""
        return house if self.tracer is None else TracedModels(house, self.tracer)

    def edge(self, app: ASGIApp) -> ASGIApp:
        """What serves requests."""
        return app if self.tracer is None else Traced(app, self.tracer)


async def open_instruments(
    settings: Settings, writers: asyncpg.Pool, resources: AsyncExitStack
) -> Instruments:
    """The instruments that the settings ask for.

    Raises:
        NotInstalled: There is an endpoint, and nothing to tell it with.
    """
    causes = PostgresTraceBook(writers)
    if not settings.telemetry.endpoint:
        return Instruments(None, causes)
    try:
        from engarde_daemon.adapters.telemetry.exporting import opened  # noqa: PLC0415 - an extra
    except ImportError as missing:
        raise NotInstalled from missing
    tracing = opened(settings.telemetry, version("engarde-daemon"))
    return Instruments(await resources.enter_async_context(tracing), causes)
