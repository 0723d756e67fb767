"""Calls over kept connections: whole answers or none, and never a connection whose state is not known."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import httpx
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.stapled import MultiListener
from anyio.streams.tls import TLSListener, TLSStream
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from engarde_daemon.adapters.http import AddressRefusedError, Calls, Question, calls
from engarde_daemon.adapters.http.answers import HEAD_BYTES_MAX
from tests.integration.http.test_client import FAR, NEAR, NearGate, resolving
from tests.support.patience import PATIENCE_S

HOST = "models.example"
HELLO = b"HTTP/1.1 200 OK\r\nX-Kind: greeting\r\ncontent-length: 5\r\n\r\nhello"
NO_HEADERS: Mapping[str, str] = {}


class Script:
    """A server that says what it is told to, one thing a request, and closes at None."""

    def __init__(self) -> None:
        self.lines: list[bytes | None] = []
        self.asked: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def serve(self, stream: SocketStream | TLSStream) -> None:
        """Talk to one caller."""
        self.connections += 1
        async with stream:
            while True:
                try:
                    self.asked.append(await stream.receive())
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return
                while self.lines:
                    line = self.lines.pop(0)
                    if line is None:
                        return
                    await stream.send(line)


def port_of(listener: MultiListener[SocketStream]) -> int:
    """Where it listens."""
    port: int = listener.extra_attributes[SocketAttribute.local_port]()
    return port


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    """A server that listens."""
    script = Script()
    async with await anyio.create_tcp_listener(local_host=NEAR) as listener:
        script.port = port_of(listener)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, script.serve)
            yield script
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def calling(*addresses: str, connections: int = 2) -> AsyncIterator[Calls]:
    """Calls to a name that has these addresses."""
    resolve = resolving(*(addresses or (NEAR,)))
    async with aclosing(Calls(NearGate(), connections=connections, resolve=resolve)) as open_calls:
        yield open_calls


async def ask(
    open_calls: Calls, script: Script, *said: bytes | None, headers: Mapping[str, str] = NO_HEADERS
) -> tuple[int, bytes]:
    """Ask for what the server will say; the status and the body."""
    script.lines[:] = said
    question = Question("POST", f"http://{HOST}:{script.port}/v1?x=1", headers, b"{}")
    with anyio.fail_after(PATIENCE_S):
        async with open_calls.exchange(question) as answer:
            return answer.status_code, b"".join([chunk async for chunk in answer.aiter_raw()])


async def test_a_question_is_one_write_under_the_hosts_name(script: Script):
    """And what is answered comes whole."""
    async with calling() as open_calls:
        said = await ask(open_calls, script, HELLO, headers={"authorization": "Bearer k"})

    (asked,) = script.asked
    head, _, body = asked.partition(b"\r\n\r\n")
    assert said == (200, b"hello")
    assert head.startswith(b"POST /v1?x=1 HTTP/1.1\r\n")
    assert f"host: {HOST}:{script.port}".encode() in head
    assert b"authorization: Bearer k" in head
    assert b"content-length: 2" in head
    assert body == b"{}"


async def test_connections_are_kept(script: Script):
    """The second question goes over the same."""
    async with calling() as open_calls:
        for _ in range(3):
            assert await ask(open_calls, script, HELLO) == (200, b"hello")

    assert script.connections == 1


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ((b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n", HELLO), b"hello"),
        ((HELLO[:30], HELLO[30:60], HELLO[60:]), b"hello"),
        ((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",), b"hello"),
        ((b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo", None), b"hello"),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), b""),
    ],
)  # fmt: skip
async def test_an_answer_ends_where_its_message_says(
    script: Script, said: tuple[bytes | None, ...], body: bytes
):
    """By length, by chunks, or, where nothing is said, by the end of the connection."""
    async with calling() as open_calls:
        assert (await ask(open_calls, script, *said))[1] == body
        assert (await ask(open_calls, script, HELLO))[1] == b"hello"


@pytest.mark.parametrize(
    "said",
    [
        (None,),
        (b"HTTP/1.1 200 OK\r\nx: ", None),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", None),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n", None),
        (b"SSH-2.0-OpenSSH_9.6\r\n",),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nwhat",),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * (HEAD_BYTES_MAX // 6 + 11_000),),
    ],
)
async def test_what_is_no_whole_answer_is_none(script: Script, said: tuple[bytes | None, ...]):
    """The caller hears of it, and its connection is used no more."""
    async with calling() as open_calls:
        with pytest.raises(httpx.RequestError):
            await ask(open_calls, script, *said)
        assert await ask(open_calls, script, HELLO) == (200, b"hello")

    assert script.connections == 2


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        HELLO + HELLO,
        HELLO + b"more than that",
    ],
)
async def test_a_connection_that_may_not_go_on_is_left(script: Script, said: bytes):
    """What the server said beyond its answer is never taken for the next one."""
    async with calling() as open_calls:
        with anyio.fail_after(PATIENCE_S):
            first = await _outcome(open_calls, script, said)
        assert first in {(200, b"hello"), None}
        assert await ask(open_calls, script, HELLO) == (200, b"hello")

    assert script.connections == 2


async def _outcome(open_calls: Calls, script: Script, said: bytes) -> tuple[int, bytes] | None:
    try:
        return await ask(open_calls, script, said)
    except httpx.RequestError:
        return None


async def test_a_connection_that_the_server_ended_meanwhile_is_not_used(script: Script):
    """The next question goes over a new one, and nothing is repeated."""
    async with calling() as open_calls:
        await ask(open_calls, script, HELLO, None)
        while not _is_ended(open_calls):
            await anyio.sleep(0.01)
        assert await ask(open_calls, script, HELLO) == (200, b"hello")

    assert script.connections == 2
    assert len(script.asked) == 2


def _is_ended(open_calls: Calls) -> bool:
    (kept,) = open_calls._idle
    return not kept.is_fresh()


async def test_an_answer_that_is_not_read_to_its_end_costs_its_connection(script: Script):
    """Else its rest would be the next one's beginning."""
    script.lines[:] = [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"]
    async with calling() as open_calls:
        question = Question("GET", f"http://{HOST}:{script.port}/", {})
        with anyio.fail_after(PATIENCE_S):
            async with open_calls.exchange(question) as answer:
                assert answer.status_code == 200
        assert await ask(open_calls, script, HELLO) == (200, b"hello")

    assert script.connections == 2


async def test_a_cancelled_call_gives_its_place_back(script: Script):
    """There is one place, and the server never answered the call that held it."""
    async with calling(connections=1) as open_calls:
        with anyio.move_on_after(0.1):
            await ask(open_calls, script)
        assert await ask(open_calls, script, HELLO) == (200, b"hello")


@pytest.mark.parametrize("value", ["k\r\nx: y", "k\n", "ключ"])
async def test_a_header_that_would_be_two_is_not_written(script: Script, value: str):
    """Nothing leaves."""
    async with calling() as open_calls:
        with pytest.raises(httpx.LocalProtocolError):
            await ask(open_calls, script, HELLO, headers={"authorization": value})

    assert script.asked == []


async def test_the_guard_looks_at_urls_and_addresses(script: Script):
    """Whatever the name server says."""
    async with calling(FAR) as open_calls:
        with pytest.raises(AddressRefusedError):
            await ask(open_calls, script, HELLO)
        with pytest.raises(AddressRefusedError):
            async with open_calls.exchange(Question("GET", "ftp://x.example/", {})):
                raise AssertionError("this was not to be called")

    assert script.connections == 0


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The contexts of a server, and of a client that trusts it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    built = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    )
    named = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    path = tmp_path / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + named.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


async def test_a_call_over_tls_is_for_whom_the_certificate_names(
    certified: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
):
    """The certificate must be trusted and name the host; then connections are kept there, too."""
    script, (server, client) = Script(), certified
    plain = await anyio.create_tcp_listener(local_host=NEAR)
    listener, port = TLSListener(plain, server, standard_compatible=False), port_of(plain)

    async def said_by(open_calls: Calls, host: str) -> bytes:
        script.lines[:] = [HELLO]
        async with open_calls.exchange(Question("GET", f"https://{host}:{port}/", {})) as answer:
            return b"".join([chunk async for chunk in answer.aiter_raw()])

    async with listener, anyio.create_task_group() as tasks, calling() as open_calls:
        tasks.start_soon(listener.serve, script.serve)
        with anyio.fail_after(PATIENCE_S):
            with pytest.raises(httpx.ConnectError):
                await said_by(open_calls, HOST)
            monkeypatch.setattr(calls, "trusted", lambda: client)
            with pytest.raises(httpx.ConnectError):
                await said_by(open_calls, "another.example")
            assert [await said_by(open_calls, HOST) for _ in range(2)] == [b"hello"] * 2
        tasks.cancel_scope.cancel()

    assert script.connections == 1
