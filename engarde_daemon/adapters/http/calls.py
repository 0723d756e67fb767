"""HTTP/1.1 for calls that are many and alike, such as those of a batch to its model.

httpx 0.28 on httpcore 1.0 takes five times as much of the processor for one call (CPython 3.11), which
was nearly half of what a generated piece cost. This does the little that a call needs: one write for
the whole question, one parser (httptools), and connections that are kept. It follows no redirect,
keeps no cookie and repeats nothing.

Owns what no caller can forget: the guard looks at every URL, connections go only to addresses that
it admits, and a connection carries one exchange at a time and is kept only after an answer that was
read to its end. Whatever ends otherwise, cancelled ones too, is closed.
"""

import select
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic

import anyio
import httpx
import msgspec
from anyio.abc import ByteStream, SocketAttribute

from engarde_daemon.adapters.http.answers import Answer
from engarde_daemon.adapters.http.guard import Gate
from engarde_daemon.adapters.http.lanes import trusted
from engarde_daemon.adapters.http.names import AddressRefusedError, Names, Resolve, system_resolver

CONNECT_S = 5.0
"""For one address, its TLS included."""
IDLE_S = 30.0
TARGETS_MAX = 256


class Question(msgspec.Struct, frozen=True):
    """What is asked; values of headers are plain ASCII."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""


class Origin(msgspec.Struct, frozen=True):
    """Where connections go."""

    scheme: str
    host: str
    port: int


class _Target(msgspec.Struct, frozen=True):
    """A URL, taken apart and found good."""

    origin: Origin
    host: str
    path: str


class _Connection:
    """An open connection to an origin."""

    def __init__(self, origin: Origin, stream: ByteStream) -> None:
        self.origin = origin
        self.stream = stream
        self.idle_since = 0.0
        self._socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - anyio's, not Django's

    def is_fresh(self) -> bool:
        """Whether the server kept it, too: on an idle connection only its end can be read."""
        if monotonic() - self.idle_since > IDLE_S:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)


class Calls:
    """Asks servers, over so many connections at once; close it at its end."""

    def __init__(self, gate: Gate, *, connections: int, resolve: Resolve = system_resolver) -> None:
        self._gate = gate
        self._names = Names(gate, resolve)
        self._connections = connections
        self._places = anyio.Semaphore(connections, fast_acquire=True)
        self._idle: list[_Connection] = []
        self._targets: dict[str, _Target] = {}

    @asynccontextmanager
    async def exchange(self, question: Question) -> AsyncIterator[Answer]:
        """Ask, and give the answer from its head on; the caller bounds the time of all of it.

        Raises:
            AddressRefusedError: The URL leads where it may not.
            httpx.RequestError: There was no answer, or it broke off.
        """
        target = self._target_of(question.url)
        written = _written(question, target)
        async with self._places:
            connection = await self._connection_to(target)
            answer = Answer(connection.stream)
            try:
                await _send(connection.stream, written)
                await answer.read_head()
                yield answer
            finally:
                if answer.is_reusable:
                    await self._keep(connection)
                else:
                    await anyio.aclose_forcefully(connection.stream)

    async def aclose(self) -> None:
        """Close what is idle; what is under way closes itself."""
        while self._idle:
            await anyio.aclose_forcefully(self._idle.pop().stream)

    def _target_of(self, url: str) -> _Target:
        """Few URLs are asked again and again; looking at one costs as much as asking it."""
        known = self._targets.get(url)
        if known is not None:
            return known
        fault = self._gate.fault(url)
        if fault is not None:
            raise AddressRefusedError(f"The URL {fault}.")
        if len(self._targets) >= TARGETS_MAX:
            self._targets.clear()
        self._targets[url] = found = _taken_apart(httpx.URL(url))
        return found

    async def _connection_to(self, target: _Target) -> _Connection:
        while (kept := self._kept_to(target.origin)) is not None:
            if kept.is_fresh():
                return kept
            await anyio.aclose_forcefully(kept.stream)
        try:
            return _Connection(target.origin, await self._connected(target.origin))
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
            raise httpx.ConnectError("No connection could be made.") from error

    def _kept_to(self, origin: Origin) -> _Connection | None:
        """Take the connection that was used last: the others may end of old age."""
        for place in reversed(range(len(self._idle))):
            if self._idle[place].origin == origin:
                return self._idle.pop(place)
        return None

    async def _connected(self, origin: Origin) -> ByteStream:
        addresses = await self._names.addresses(origin.host, origin.port)
        for address in addresses[:-1]:
            try:
                return await _dialled(origin, str(address))
            except OSError:
                continue  # the next one may answer
        return await _dialled(origin, str(addresses[-1]))

    async def _keep(self, connection: _Connection) -> None:
        connection.idle_since = monotonic()
        self._idle.append(connection)
        if len(self._idle) > self._connections:
            await anyio.aclose_forcefully(self._idle.pop(0).stream)


def _taken_apart(url: httpx.URL) -> _Target:
    port = url.port or (443 if url.scheme == "https" else 80)
    return _Target(
        origin=Origin(url.scheme, url.raw_host.decode("ascii"), port),
        host=url.netloc.decode("ascii"),
        path=url.raw_path.decode("ascii"),
    )


async def _dialled(origin: Origin, address: str) -> ByteStream:
    with anyio.fail_after(CONNECT_S):
        if origin.scheme == "http":
            return await anyio.connect_tcp(address, origin.port)
        return await anyio.connect_tcp(
            address,
            origin.port,
            ssl_context=trusted(),
            tls_hostname=origin.host,
            tls_standard_compatible=False,  # servers hang up without a farewell
        )


def _written(question: Question, target: _Target) -> bytes:
    for name, value in question.headers.items():
        if not (value.isascii() and value.isprintable()):
            raise httpx.LocalProtocolError(f"The header {name} cannot be written.")
    headers = {
        "host": target.host,
        "accept-encoding": "identity",
        "user-agent": "engarde",
        "content-length": str(len(question.content)),
        **question.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    begin = f"{question.method} {target.path} HTTP/1.1\r\n{head}\r\n"
    return begin.encode("ascii") + question.content


async def _send(stream: ByteStream, written: bytes) -> None:
    try:
        await stream.send(written)
    except (anyio.BrokenResourceError, OSError) as error:
        raise httpx.WriteError("The connection broke off.") from error
