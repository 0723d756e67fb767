"""The feed over real sockets, from a server that says and does what it is told to."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import msgspec
import pytest
from anyio.abc import SocketAttribute, SocketStream

from engarde_daemon.api.admin.overview import QueuesView
from engarde_daemon.api.openapi.overview_examples import ANSWERS
from engarde_daemon.protocol import Snapshot
from tests.support.dashboard import scenes
from tui import http_feed, orders
from tui.feed import Linked, Lost, News, Refused, TenantWish
from tui.http_feed import HttpFeed, open_client

EVENT = scenes.event(0, "content.item.created", "one more")
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nEngarde-Role: viewer\r\n\r\n"
TOLD = b"id: a.7\nevent: event\ndata: " + msgspec.json.encode(EVENT) + b"\n\n"
SHOWN = msgspec.json.encode(scenes.snapshot())
SNAPSHOT = b"event: snapshot\ndata: " + SHOWN + b"\n\n"
KNOWN = msgspec.json.decode(SHOWN, type=Snapshot)
DEEP = b"[" * 100_000


class Script:
    """What a server answers, one connection after the other, and what it was asked."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def serve(self, stream: SocketStream) -> None:
        """Answer a connection, and close it."""
        async with stream:
            self.asked.append((await stream.receive()).decode())
            await stream.send(self._answers.pop(0))


Connect = Callable[..., Awaitable[tuple[HttpFeed, Script]]]


@pytest.fixture
async def connect(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Connect]:
    """A feed of a server that gives these answers."""
    monkeypatch.setattr(http_feed, "PAUSE_LEAST_S", 0.01)
    async with AsyncExitStack() as opened, anyio.create_task_group() as serving:

        async def connected(*answers: bytes) -> tuple[HttpFeed, Script]:
            script = Script(answers)
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
            await opened.enter_async_context(listener)
            serving.start_soon(listener.serve, script.serve)
            port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
            client = open_client(f"http://127.0.0.1:{port}", "eg_key")
            await opened.enter_async_context(client)
            return HttpFeed(client, random=lambda: 0.5), script

        yield connected
        serving.cancel_scope.cancel()


async def first(feed: HttpFeed, count: int) -> list[News]:
    """The first pieces of news."""
    news: list[News] = []
    async with _closing(feed.follow()) as following:
        async for piece in following:
            news.append(piece)
            if len(news) == count:
                break
    return news


@asynccontextmanager
async def _closing(news: AsyncIterator[News]) -> AsyncIterator[AsyncIterator[News]]:
    try:
        yield news
    finally:
        await news.aclose()  # type: ignore[attr-defined]


async def test_a_feed_that_breaks_is_taken_up_where_it_was_left(connect: Connect):
    """With the last event's id, so that nothing is told twice and gaps are known."""
    feed, script = await connect(STREAM + TOLD + SNAPSHOT, STREAM + SNAPSHOT)

    news = await first(feed, 6)

    lost = Lost("it ended the feed", 0.01)
    assert news == [
        Linked("viewer"),
        EVENT,
        KNOWN,
        lost,
        Linked("viewer"),
        KNOWN,
    ]
    assert "x-api-key: eg_key" in script.asked[0].lower()
    assert "last-event-id: a.7" in script.asked[1].lower()


async def test_the_pauses_grow_while_nothing_answers(connect: Connect):
    """A daemon that is being restarted is not hammered."""
    feed, _ = await connect(b"", b"", b"")

    pauses = [news.again_in_s for news in await first(feed, 3) if isinstance(news, Lost)]

    assert pauses == [0.01, 0.02, 0.04]


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "does not know this key"), (403, "needs an operator's"), (503, "503")],
)
async def test_a_refused_key_is_told_with_what_to_do(connect: Connect, status: int, words: str):
    """The dashboard goes on asking, for keys are made and roles are given."""
    feed, _ = await connect(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)

    (lost,) = await first(feed, 1)

    assert isinstance(lost, Lost)
    assert words in lost.why


@pytest.mark.parametrize(
    "told",
    [
        b"event: snapshot\ndata: 7",
        b'event: event\ndata: {"text": "\xff"}',
        b'event: snapshot\ndata: {"news": ' + DEEP,
    ],
)
async def test_what_is_not_understood_is_no_reason_to_end(connect: Connect, told: bytes):
    """A daemon of another version may say anything; it is asked again, and ever less often."""
    answer = STREAM + b"event: comet\ndata: {}\n\n" + told + b"\n\n"
    feed, _ = await connect(answer, STREAM + told + b"\n\n")

    news = await first(feed, 4)

    assert [type(piece) for piece in news] == [Linked, Lost, Linked, Lost]
    assert [piece.again_in_s for piece in news if isinstance(piece, Lost)] == [0.01, 0.02]


async def test_a_refusal_is_told_in_the_daemons_words(connect: Connect):
    """Those name what to do."""
    body = b'{"title": "Forbidden", "detail": "Your role does not reach this."}'
    head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body)
    feed, script = await connect(head + body)

    with pytest.raises(Refused, match="Your role does not reach this") as refused:
        await feed.carry_out(orders.verify())

    assert refused.value.forbidden
    assert script.asked[0].startswith("POST /api/admin/recovery/verify ")
    assert "idempotency-key: " in script.asked[0].lower()


async def test_parked_rows_are_read_with_their_queue_and_their_reason(connect: Connect):
    """From the route that lists what waits; what else it tells is passed over."""
    body = msgspec.json.encode(ANSWERS[QueuesView])
    feed, script = await connect(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )

    (row,) = await feed.parked()

    assert script.asked[0].startswith("GET /api/admin/queues ")
    assert (row.queue, row.reason, row.attempts) == ("to ZeroDB", "ZeroDB answered 503.", 2)


@pytest.mark.parametrize("body", [b"[]", b'{"data": [{"tenant_id": "\xff"}]}', b'{"a": ' + DEEP])
async def test_an_answer_of_another_shape_is_a_refusal(connect: Connect, body: bytes):
    """And not an end of the dashboard."""
    feed, _ = await connect(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with pytest.raises(Refused, match="does not understand"):
        await feed.tenants(TenantWish())


@pytest.mark.parametrize("body", [b"nothing", b'{"title": "\xff"}', b'{"a": ' + DEEP])
async def test_a_refusal_without_words_is_told_by_its_number(connect: Connect, body: bytes):
    """As of a proxy before the daemon."""
    head = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n" % len(body)
    feed, _ = await connect(head + body)

    with pytest.raises(Refused, match=r"The daemon answered with 502\."):
        await feed.carry_out(orders.verify())
