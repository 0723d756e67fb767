"""Clients go where the gate lets them, over one address that was looked at, within their bounds."""

from collections.abc import AsyncIterator, Callable, Iterable

import anyio
import httpx
import pytest
from anyio.abc import SocketAttribute, SocketStream

from engarde_daemon.adapters.http import AddressRefusedError, Bounds, Gate, exchange, open_client
from engarde_daemon.adapters.http.client import Reply
from engarde_daemon.adapters.http.guard import Address
from engarde_daemon.adapters.http.mailman import HttpMailman
from tests.support.receiver import Reaction, Receiver, receiving

BOUNDS = Bounds(timeout_s=5, body_bytes=1000)
NEAR, FAR, DEAD = "127.0.0.1", "127.1.1.1", "127.0.0.9"


class NearGate(Gate, frozen=True):
    """To whom 127.0.0.0/24 is the public internet: the servers of these tests are there."""

    def fault_of(self, url: httpx.URL) -> str | None:
        """Take every port, and no other scheme than those of HTTP."""
        is_simple = url.scheme in {"http", "https"} and not url.userinfo
        return None if is_simple else "must be simple"

    def admits(self, address: Address) -> bool:
        """Whether the address is near."""
        return str(address).startswith("127.0.0.")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A server to be called."""
    async with receiving() as receiver:
        yield receiver


def resolving(*addresses: str) -> Callable[[str, int], Iterable[str]]:
    """A name server that knows these addresses of every name."""
    return lambda _host, _port: addresses


async def call(
    url: str,
    *addresses: str,
    gate: Gate = NearGate(),  # noqa: B008 - frozen
    bounds: Bounds = BOUNDS,
    redirects_max: int = 0,
) -> Reply:
    """Call a URL whose host has these addresses."""
    async with open_client(
        gate, connections=2, redirects_max=redirects_max, resolve=resolving(*addresses)
    ) as client:
        return await exchange(client, client.build_request("GET", url), bounds)


def named(receiver: Receiver, host: str = "hooks.example") -> str:
    """The receiver's URL under a name."""
    return receiver.url.replace(NEAR, host)


async def test_a_name_is_called_by_its_address(receiver: Receiver):
    """And still by its name where that matters: in the Host header."""
    await call(named(receiver), NEAR)

    (arrived,) = receiver.calls
    assert arrived.headers["host"].startswith("hooks.example:")


async def test_a_name_is_resolved_once(receiver: Receiver):
    """A second answer, which leads elsewhere, is never asked for."""
    answers = [[NEAR], [FAR]]
    async with open_client(NearGate(), connections=2, resolve=lambda *_: answers.pop(0)) as client:
        for _ in range(3):
            request = client.build_request("GET", named(receiver))
            assert (await exchange(client, request, BOUNDS)).status == 204

    assert answers == [[FAR]]


@pytest.mark.parametrize("addresses", [[FAR], [NEAR, FAR], [FAR, NEAR], ["::1", NEAR]])
async def test_one_address_that_is_not_public_closes_the_gate(
    receiver: Receiver, addresses: list[str]
):
    """Though others might be: nobody needs such a name."""
    with pytest.raises(AddressRefusedError, match="not public"):
        await call(named(receiver), *addresses)

    assert receiver.calls == []


async def test_an_address_in_the_url_is_looked_at_too():
    """By the strict gate, which takes nothing of this machine."""
    with pytest.raises(AddressRefusedError, match="not public"):
        await call("http://127.0.0.1/", gate=Gate())


async def test_a_dead_address_is_passed_over(receiver: Receiver):
    """As long as another one answers."""
    assert (await call(named(receiver), DEAD, NEAR)).status == 204


async def test_a_name_without_an_address_is_no_answer(receiver: Receiver):
    """Whatever the name server says."""
    with pytest.raises(httpx.ConnectError):
        await call(named(receiver))
    with pytest.raises(httpx.ConnectError):
        await call("http://name.invalid/")


async def test_redirects_are_not_followed(receiver: Receiver):
    """Unless the client was opened for that."""
    receiver.next_reactions.append(Reaction(status=302, headers=((b"location", b"/other"),)))

    assert (await call(named(receiver), NEAR)).status == 302
    assert len(receiver.calls) == 1


async def test_a_redirect_comes_to_the_gate_again(receiver: Receiver):
    """The next URL may lead elsewhere."""
    good, bad = b"http://again.example:%d/" % port_of(receiver), b"http://you@again.example/"
    receiver.next_reactions.extend(
        Reaction(status=302, headers=((b"location", location),)) for location in (good, bad)
    )

    with pytest.raises(AddressRefusedError):
        await call(named(receiver), NEAR, redirects_max=3)

    assert [arrived.headers["host"].split(":")[0] for arrived in receiver.calls] == [
        "hooks.example",
        "again.example",
    ]


async def test_there_is_an_end_to_redirects(receiver: Receiver):
    """However many there are."""
    receiver.usual_reaction = Reaction(status=302, headers=((b"location", b"/again"),))

    with pytest.raises(httpx.TooManyRedirects):
        await call(named(receiver), NEAR, redirects_max=3)


async def test_an_answer_is_cut_at_its_bound(receiver: Receiver):
    """And not unpacked, however small it pretends to be."""
    receiver.usual_reaction = Reaction(
        status=200, body=b"x" * 100_000, headers=((b"content-encoding", b"gzip"),)
    )

    reply = await call(named(receiver), NEAR)

    assert reply.body == b"x" * 1000


async def test_an_answer_that_does_not_come_is_not_waited_for(receiver: Receiver):
    """Longer than was said."""
    receiver.usual_reaction = Reaction(hangs=True)

    with pytest.raises(TimeoutError):
        await call(named(receiver), NEAR, bounds=Bounds(timeout_s=0.2, body_bytes=10))


async def test_an_answer_that_trickles_is_not_waited_for():
    """The time is for all of it, not for each byte."""
    async with (
        await anyio.create_tcp_listener(local_host=NEAR) as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, trickle)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        with pytest.raises(TimeoutError):
            await call(
                f"http://hooks.example:{port}/",
                NEAR,
                bounds=Bounds(timeout_s=0.5, body_bytes=1000),
            )
        tasks.cancel_scope.cancel()


async def test_a_name_server_that_does_not_answer_is_not_waited_for(receiver: Receiver):
    """Though its thread is not free before it does."""
    release = anyio.Event()

    def hang(_host: str, _port: int) -> list[str]:
        anyio.from_thread.run(release.wait)
        return [NEAR]

    async with open_client(NearGate(), connections=2, resolve=hang) as client:
        request = client.build_request("GET", named(receiver))
        with pytest.raises(TimeoutError):
            await exchange(client, request, Bounds(timeout_s=0.2, body_bytes=10))
        release.set()


async def test_the_mailman_tells_what_was_answered(receiver: Receiver):
    """Every failure is an answer too, in words that tell nothing of the network inside."""
    receiver.next_reactions.append(Reaction(status=503, body=b"Later\x00"))
    answers = []
    for addresses in ([NEAR], [FAR], [DEAD], []):
        client = open_client(NearGate(), connections=1, resolve=resolving(*addresses))
        mailman = HttpMailman(client, timeout_s=5, sender="test")
        answers.append(await mailman.carry(named(receiver), {"webhook-id": "1"}, b"{}"))
        await mailman.close()

    assert [(answer.status, answer.excerpt, answer.error) for answer in answers] == [
        (503, "Later\ufffd", None),
        (None, None, "The host has an address that is not public."),
        (None, None, "No answer: ConnectError."),
        (None, None, "No answer: ConnectError."),
    ]


def port_of(receiver: Receiver) -> int:
    """Where the receiver listens."""
    return httpx.URL(receiver.url).port or 80


async def trickle(stream: SocketStream) -> None:
    """Answer with a byte now and then."""
    async with stream:
        await stream.receive()
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            await stream.send(b"x")
            await anyio.sleep(0.05)
