"""Nothing that is fetched for a tenant leads inside: one table, three users."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import TypeAlias

import pytest

from engarde_daemon.adapters.http import Calls, Gate, open_client
from engarde_daemon.adapters.http.download import (
    REDIRECTS_MAX,
    DownloadRefused,
    GuardedDownloads,
)
from engarde_daemon.adapters.http.mailman import HttpMailman
from engarde_daemon.adapters.llm.house import HouseOfModels, ProviderSite
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.models import ModelFault, Secret
from tests.integration.http.test_client import NEAR, NearGate, resolving
from tests.integration.llm.test_models import ask
from tests.support.inside import INSIDE_ADDRESSES, INSIDE_URLS
from tests.support.patience import PATIENCE_S
from tests.support.receiver import Reaction, Receiver, receiving

PUBLIC = "93.184.216.34"
SECRET = "sk-canary"

Resolve: TypeAlias = Callable[[str, int], Iterable[str]]
Fetch: TypeAlias = Callable[[str], Awaitable[str]]
"""Says why a URL was not called; a redirect counts, for it was not followed."""
User: TypeAlias = Callable[[Gate, Resolve], AbstractAsyncContextManager[Fetch]]


@asynccontextmanager
async def downloading(gate: Gate, resolve: Resolve) -> AsyncIterator[Fetch]:
    """Media files, for an import."""
    async with open_client(
        gate, connections=1, redirects_max=REDIRECTS_MAX, resolve=resolve
    ) as client:
        source = GuardedDownloads(client, gate, timeout_s=PATIENCE_S, bytes_max=1000)

        async def fetch(url: str) -> str:
            with pytest.raises((DownloadRefused, Unavailable)) as refused:
                async with source.open(url):
                    pass
            return str(refused.value)

        yield fetch


@asynccontextmanager
async def telling(gate: Gate, resolve: Resolve) -> AsyncIterator[Fetch]:
    """Messages to webhooks."""
    async with open_client(gate, connections=1, resolve=resolve) as client:
        mailman = HttpMailman(client, timeout_s=PATIENCE_S, sender="test")

        async def fetch(url: str) -> str:
            answer = await mailman.carry(url, {}, b"{}")
            assert answer.error or answer.status == 302
            return answer.error or "302"

        yield fetch


@asynccontextmanager
async def asking(gate: Gate, resolve: Resolve) -> AsyncIterator[Fetch]:
    """Calls of a model at the address that a tenant gave with its key."""
    async with aclosing(Calls(gate, connections=1, resolve=resolve)) as calls:

        async def fetch(url: str) -> str:
            site = ProviderSite(kind="compatible", base_url="", dialect="chat")
            house = HouseOfModels({"x": site}, own=calls, guarded=calls, timeout_s=PATIENCE_S)
            with pytest.raises(ModelFault) as refused:
                await house.model_of("x", Secret(SECRET, url)).write(ask())
            return str(refused.value)

        yield fetch


USERS = pytest.mark.parametrize("user", [downloading, telling, asking])


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A server outside, which sends its callers inside."""
    async with receiving() as receiver:
        yield receiver


@USERS
async def test_a_url_that_leads_inside_is_not_called(user: User):
    """However it is written; and the refusal shows no key."""
    async with user(Gate(), resolving(PUBLIC)) as fetch:
        for url in filter(None, INSIDE_URLS):
            assert SECRET not in await fetch(url), url


@USERS
async def test_a_name_that_leads_inside_is_not_called(user: User):
    """Not even where it leads outside as well."""
    answers: list[str] = []
    async with user(Gate(), lambda *_: answers) as fetch:
        for address in INSIDE_ADDRESSES:
            for answers[:] in ([address], [PUBLIC, address]):
                assert "public" in (await fetch("http://cdn.example/x")).lower(), answers


@USERS
async def test_a_redirect_that_leads_inside_is_not_followed(user: User, receiver: Receiver):
    """Whether a user follows redirects at all or not."""
    inside = b"http://127.1.1.1/x"
    receiver.usual_reaction = Reaction(status=302, headers=((b"location", inside),))

    async with user(NearGate(), resolving(NEAR)) as fetch:
        await fetch(receiver.url)

    assert len(receiver.calls) == 1
