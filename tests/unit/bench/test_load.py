"""The load generator: what it sends, how it reads answers, and how it sums up."""

import anyio
import msgspec
import pytest
from anyio.abc import SocketStream
from anyio.streams.stapled import MultiListener

from bench.load.__main__ import run
from bench.load.connection import UnreadableAnswerError, head_of
from bench.load.order import LoadOrder, Traffic
from bench.load.pace import Pace
from bench.load.tally import Tally
from bench.load.traffic import requests_of
from bench.ports import free_port

SLOW_S = 0.05


def an_order(**changes) -> LoadOrder:
    """Order a small create load, with some fields changed."""
    order = LoadOrder(
        port=1,
        traffic=Traffic.CREATE,
        keys=["one", "two"],
        ids=["a", "b", "c"],
        paths=["/x", "/y", "/z"],
        connections=3,
    )
    return msgspec.structs.replace(order, **changes)


def take(order: LoadOrder, count: int) -> list[tuple[bytes, bytes]]:
    """Take the first requests of each connection, each as its head and its body."""
    streams = [requests_of(order, connection) for connection in range(order.connections)]
    taken = [next(stream) for stream in streams for _ in range(count)]
    return [(head, body) for head, _, body in (one.partition(b"\r\n\r\n") for one in taken)]


async def answer_once(listener: MultiListener[SocketStream], pieces: list[bytes]) -> None:
    """Answer each connection's first request in pieces, a segment each, then hang up."""

    async def answer(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            for piece in pieces:
                await stream.send(piece)
                await anyio.wait_all_tasks_blocked()

    await listener.serve(answer)


async def answer_slowly(listener: MultiListener[SocketStream]) -> None:
    """Answer every request, each after a while."""

    async def answer(stream: SocketStream) -> None:
        async with stream:
            for _ in range(2):
                await stream.receive()
                await anyio.sleep(SLOW_S)
                await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    await listener.serve(answer)


def test_an_answer_without_a_length_is_refused() -> None:
    """A chunked answer ends the run instead of spoiling a latency."""
    with pytest.raises(UnreadableAnswerError):
        head_of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


def test_half_a_head_is_waited_for() -> None:
    """A head that is split between two reads is no answer yet."""
    assert head_of(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n") is None


def test_a_head_tells_status_and_lengths() -> None:
    """Header names are read in any case."""
    assert head_of(b"HTTP/1.1 503 Busy\r\nContent-Length: 12\r\n\r\n...") == (503, 41, 12)


def test_no_two_bodies_are_alike() -> None:
    """Every create of every connection has a body of its own."""
    requests = take(an_order(), 200)

    assert len({body for _, body in requests}) == len(requests) == 600


def test_a_body_has_the_size_that_was_ordered() -> None:
    """The text of a create has exactly the ordered bytes, and its length header is true."""
    head, document = take(an_order(body_bytes=4096), 1)[0]

    assert len(msgspec.json.decode(document)["body"].encode()) == 4096
    assert head.endswith(b"content-length: %d" % len(document))


def test_connections_never_change_the_same_item() -> None:
    """Each item is patched over one connection alone."""
    order = an_order(traffic=Traffic.PATCH, connections=2)
    paths = [head.split()[1] for head, _ in take(order, 2)]

    assert paths == [b"/api/content/a", b"/api/content/c", b"/api/content/b", b"/api/content/b"]


def test_a_patch_load_needs_an_item_for_each_connection() -> None:
    """Fewer items than connections would make writers meet on one item."""
    with pytest.raises(ValueError, match="as many ids"):
        requests_of(an_order(traffic=Traffic.PATCH, connections=4), 0)


def test_more_connections_than_paths_share_them() -> None:
    """Every connection has something to fetch."""
    order = an_order(traffic=Traffic.FETCH, connections=4)
    paths = [head.split()[1] for head, _ in take(order, 1)]

    assert paths == [b"/x", b"/y", b"/z", b"/x"]


def test_an_error_is_no_request() -> None:
    """A refused request counts as an error and has no latency."""
    tally = Tally(1, collects_ids=False)
    tally.open_window()
    tally.answered(503, 1_000_000, [])
    tally.answered(200, 2_000_000, [])
    result = tally.result(1.0)

    assert (result.requests, result.errors, result.p50_ms) == (1, {"503": 1}, 2.0)


def test_answers_outside_the_window_do_not_count() -> None:
    """Warm-up and the answers still in flight at the end are left out."""
    tally = Tally(1, collects_ids=False)
    tally.answered(200, 9_000_000, [])
    tally.open_window()
    tally.answered(200, 1_000_000, [])
    tally.close_window()
    tally.answered(200, 9_000_000, [])
    result = tally.result(0.5)

    assert (result.per_second, result.max_ms, result.requests_with_warm_up) == (2.0, 1.0, 3)


async def test_an_answer_in_pieces_is_one_answer() -> None:
    """An answer is complete with its last byte, wherever the segments are cut."""
    pieces = [b"HTTP/1.1 200 OK\r\ncontent-", b"length: 8\r\n\r\n", b'{"id"', b":4}"]
    port = free_port()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(answer_once, listener, pieces)
        result = await run(an_order(port=port, connections=1, requests_each=1))
        group.cancel_scope.cancel()

    assert (result.requests, result.errors) == (1, {})


async def test_a_server_that_hangs_up_is_an_error() -> None:
    """A connection closed under a request is counted, and the load still ends."""
    port = free_port()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(answer_once, listener, [])
        result = await run(an_order(port=port, connections=1, requests_each=1))
        group.cancel_scope.cancel()

    assert (result.requests, result.errors) == (0, {"ConnectionError": 1})


def test_in_turn_a_connection_asks_for_every_caller_of_its_share() -> None:
    """Each caller's key goes with its own path, and no caller is left out."""
    order = an_order(
        traffic=Traffic.FETCH,
        keys=["k", "l", "m"],
        paths=["/k", "/l", "/m"],
        connections=2,
        in_turn=True,
    )
    asked = [(head.split()[1], head.rsplit(b" ", 1)[1].strip()) for head, _ in take(order, 2)]

    assert asked == [(b"/k", b"k"), (b"/m", b"m"), (b"/l", b"l"), (b"/l", b"l")]


def test_in_turn_creates_are_spread_over_all_callers() -> None:
    """One connection writes for more callers than there are connections."""
    heads = [head for head, _ in take(an_order(connections=1, in_turn=True), 3)]

    assert [head.split(b"x-api-key: ")[1].split()[0] for head in heads] == [b"one", b"two", b"one"]


def test_connections_take_turns_at_a_rate() -> None:
    """Four requests a second over two connections are due a quarter of a second apart."""
    paces = [Pace(4, connections=2, connection=one, began_ns=0) for one in range(2)]
    due = sorted(pace.next_ns() for pace in paces for _ in range(2))

    assert due == [0, 250_000_000, 500_000_000, 750_000_000]


async def test_a_request_that_is_sent_late_counts_its_wait() -> None:
    """A server that is slow for one moment is not excused from what was due in that moment."""
    port = free_port()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    order = an_order(port=port, connections=1, requests_each=2, rate_per_s=1_000_000.0)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(answer_slowly, listener)
        result = await run(order)
        group.cancel_scope.cancel()

    assert result.p50_ms >= SLOW_S * 1000 * 2 - 1  # the later of two: it was due when the first was
