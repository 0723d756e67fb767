"""Files are fetched from where the gate lets the daemon go, within their bounds, to their end."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from engarde_daemon.adapters.http import Gate, open_client
from engarde_daemon.adapters.http.download import (
    REDIRECTS_MAX,
    DownloadRefused,
    GuardedDownloads,
)
from engarde_daemon.domain.errors import Retryable, Unavailable
from engarde_daemon.domain.media import FileTooLarge
from tests.integration.http.test_client import FAR, NEAR, NearGate, resolving
from tests.support.receiver import Reaction, Receiver, receiving

FILE = b"\x89PNG" + bytes(5000)
NEAR_GATE = NearGate()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A server with a file."""
    async with receiving() as receiver:
        receiver.usual_reaction = Reaction(status=200, body=FILE)
        yield receiver


@asynccontextmanager
async def downloads(
    gate: Gate = NEAR_GATE,
    *,
    addresses: tuple[str, ...] = (NEAR,),
    resolve: Callable[[str, int], Iterable[str]] | None = None,
    timeout_s: float = 10.0,
    bytes_max: int = 10_000,
) -> AsyncIterator[GuardedDownloads]:
    """A source of files to which every host has these addresses."""
    async with open_client(
        gate,
        connections=2,
        redirects_max=REDIRECTS_MAX,
        resolve=resolve or resolving(*addresses),
    ) as client:
        yield GuardedDownloads(client, gate, timeout_s=timeout_s, bytes_max=bytes_max)


async def fetched(url: str, **options: Any) -> tuple[bytes, str | None]:
    """A file and its name."""
    async with downloads(**options) as source, source.open(url) as download:
        return b"".join([chunk async for chunk in download.chunks]), download.file_name


async def test_a_file_comes_with_the_name_of_its_url(receiver: Receiver):
    """Percent signs undone, and without its query."""
    url = receiver.url.replace("/hook", "/a/sun%20set.png?token=1")

    assert await fetched(url) == (FILE, "sun set.png")


async def test_a_name_that_leads_inside_is_not_called(receiver: Receiver):
    """Not even where one of its addresses is a public one."""
    url = receiver.url.replace(NEAR, "cdn.example")
    for addresses in ((FAR,), (NEAR, FAR)):
        with pytest.raises(DownloadRefused):
            await fetched(url, addresses=addresses)

    assert receiver.calls == []


async def test_a_redirect_that_leads_inside_is_not_followed(receiver: Receiver):
    """Each is looked at like the first URL."""
    for target in (f"http://{FAR}:80/x", "file:///etc/passwd"):
        receiver.next_reactions.append(
            Reaction(status=302, headers=((b"location", target.encode()),))
        )
        with pytest.raises((DownloadRefused, Unavailable)):
            await fetched(receiver.url)

    assert len(receiver.calls) == 2


async def test_redirects_come_to_an_end(receiver: Receiver):
    """After a few of them."""
    receiver.usual_reaction = Reaction(status=302, headers=((b"location", receiver.url.encode()),))

    with pytest.raises(DownloadRefused, match="more than 3 times"):
        await fetched(receiver.url)
    assert len(receiver.calls) == REDIRECTS_MAX + 1


@pytest.mark.parametrize("status", [204, 206, 304, 401, 403, 404, 410])
async def test_a_server_that_gives_no_file_is_final(receiver: Receiver, status: int):
    """Such as one whose URL has expired."""
    receiver.usual_reaction = Reaction(status=status)

    with pytest.raises(DownloadRefused, match=str(status)):
        await fetched(receiver.url)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_that_cannot_now_may_be_asked_again(receiver: Receiver, status: int):
    """The refusal says when."""
    receiver.usual_reaction = Reaction(status=status)

    with pytest.raises(Retryable) as refusal:
        await fetched(receiver.url)
    assert refusal.value.after_s > 1


async def test_a_file_may_only_be_so_large(receiver: Receiver):
    """Whatever its headers say."""
    with pytest.raises(FileTooLarge):
        await fetched(receiver.url, bytes_max=len(FILE) - 1)

    assert len((await fetched(receiver.url, bytes_max=len(FILE)))[0]) == len(FILE)


async def test_a_compressed_file_is_refused(receiver: Receiver):
    """It was not asked for, and may be a bomb."""
    receiver.usual_reaction = Reaction(
        status=200, body=FILE, headers=((b"content-encoding", b"gzip"),)
    )

    with pytest.raises(DownloadRefused, match="compressed"):
        await fetched(receiver.url)


async def test_a_server_that_hangs_is_left(receiver: Receiver):
    """After the time that a download has in all."""
    receiver.usual_reaction = Reaction(hangs=True)

    with pytest.raises(Unavailable, match=r"within 0\.2 s"):
        await fetched(receiver.url, timeout_s=0.2)


@pytest.mark.parametrize("claims", [b"content-length: 100\r\n", b"transfer-encoding: chunked\r\n"])
async def test_half_a_file_is_none(claims: bytes):
    """Where the server hangs up before the end it announced."""

    async def half(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 200 OK\r\n" + claims + b"\r\n")
            await stream.send(b"a\r\n0123456789\r\n")

    listener = await anyio.create_tcp_listener(local_host=NEAR)
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, half)
        with pytest.raises(Unavailable, match="not to its end"):
            await fetched(f"http://cdn.example:{port}/x")
        tasks.cancel_scope.cancel()
