"""Where cases are played: a daemon with fuses, a provider that answers, and pictures to fetch."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeAlias

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.models import FakeOpenAI, serving
from tests.support.faulty import FaultyDaemon, faulty_daemon
from tests.support.importing import files
from tests.support.models import settings


class Site(NamedTuple):
    """What all cases of a module share."""

    daemon: FaultyDaemon
    model: FakeOpenAI
    files_url: str


class Plot(NamedTuple):
    """Where the daemon shall die in a case, and what its choices follow from."""

    point: str
    chance: random.Random
    deaths: int = 1
    patience_s: float = 30.0
    """How long anything may take to become right."""


Case: TypeAlias = Callable[[Site, Plot], Awaitable[None]]


@asynccontextmanager
async def faulty_site(
    server: EmbeddedPostgres, *, mutant: str | None = None
) -> AsyncIterator[Site]:
    """A site on a database of its own, whose daemon may be a mutant."""
    model = FakeOpenAI()
    # One call at a time: nothing else is in flight when the daemon dies of one.
    calling = {"ENGARDE_GENERATION__CONCURRENCY": "1"}
    async with (
        serving(model) as model_url,
        files() as (_, files_url),
        faulty_daemon(server, environ={**settings(model_url), **calling}, mutant=mutant) as daemon,
    ):
        yield Site(daemon, model, files_url)
