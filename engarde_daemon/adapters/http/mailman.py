"""Messages to webhooks: one POST, no redirects, and an answer that is cut short."""

import time
from collections.abc import Callable, Mapping

import httpx

from engarde_daemon.adapters.http.client import Bounds, exchange, request_to
from engarde_daemon.adapters.http.names import AddressRefusedError
from engarde_daemon.ports.webhooks import Answer

EXCERPT_CHARACTERS = 1000
_BYTES_PER_CHARACTER = 4


class HttpMailman:
    """The `Mailman` port over HTTP."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        timeout_s: float,
        sender: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._bounds = Bounds(
            timeout_s=timeout_s, body_bytes=EXCERPT_CHARACTERS * _BYTES_PER_CHARACTER
        )
        self._sender = sender
        self._clock = clock

    async def carry(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """See `Mailman.carry`."""
        began = self._clock()
        told = {**headers, "content-type": "application/json", "user-agent": self._sender}
        status, excerpt, error = None, None, None
        try:
            request = request_to(self._client, "POST", url, content=body, headers=told)
            reply = await exchange(self._client, request, self._bounds)
            status, excerpt = reply.status, _excerpt_of(reply.body)
        except TimeoutError:
            error = f"No answer within {self._bounds.timeout_s:g} s."
        except AddressRefusedError as refused:
            error = str(refused)
        except httpx.RequestError as failure:
            error = f"No answer: {type(failure).__name__}."
        took_ms = round((self._clock() - began) * 1000)
        return Answer(status=status, excerpt=excerpt, error=error, took_ms=took_ms)

    async def close(self) -> None:
        """See `Mailman.close`."""
        await self._client.aclose()


def _excerpt_of(body: bytes) -> str:
    """The beginning of an answer as text that PostgreSQL can hold."""
    return body.decode(errors="replace").replace("\x00", "\ufffd")[:EXCERPT_CHARACTERS]
