"""One call to an ad platform: sent once, read to its end, bounded in time and size.

Owns three rules: nothing is repeated here, an answer that broke off is none, and neither tokens nor
URLs, which may hold them, get into what is told of a failure.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, TypeVar

import httpx
import msgspec
from msgspec import Meta

from engarde_daemon.adapters.http import Bounds, Reply, exchange
from engarde_daemon.domain.analytics import FIGURE_MAX
from engarde_daemon.domain.importing import MICROS
from engarde_daemon.ports.platforms import PlatformFault, PlatformTrouble

ANSWER_BYTES = 64 * 1024 * 1024
DETAIL_CHARACTERS = 300

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Count = Annotated[int, Meta(ge=-FIGURE_MAX, le=FIGURE_MAX)]
Amount = Annotated[float, Meta(ge=-FIGURE_MAX, le=FIGURE_MAX)]
"""Corrections may be below zero; "NaN" and "Infinity", which JSON has in texts, are no amounts."""
Micros = Annotated[int, Meta(ge=-FIGURE_MAX * MICROS, le=FIGURE_MAX * MICROS)]


class PlatformWire:
    """Carries requests to one platform."""

    def __init__(self, client: httpx.AsyncClient, name: str, *, timeout_s: float) -> None:
        self._client = client
        self._name = name
        self._timeout_s = timeout_s

    async def ask(self, method: str, url: str, **given: Any) -> Reply:
        """Send a request and give its whole answer, whatever it says.

        Raises:
            PlatformFault: There was no answer, or only a part of one, or one too large.
        """
        request = self._client.build_request(method, url, **given)
        bounds = Bounds(timeout_s=self._timeout_s, body_bytes=ANSWER_BYTES + 1)
        try:
            reply = await exchange(self._client, request, bounds)
        except TimeoutError:
            self._busy(f"{self._name} did not answer within {self._timeout_s:g} s.")
        except httpx.RequestError as error:
            # Without its cause: httpx 0.28 names the URL, and the token in it, in some of them.
            self._busy(f"{self._name} did not answer to the end ({type(error).__name__}).")
        if len(reply.body) > ANSWER_BYTES:
            told = f"{self._name} answers with more than {ANSWER_BYTES} bytes at once."
            raise PlatformFault(PlatformTrouble.REJECTED, told)
        return reply

    def _busy(self, told: str) -> NoReturn:
        raise PlatformFault(PlatformTrouble.BUSY, told) from None


def decoded(body: bytes, shape: type[T]) -> T:
    """Read an answer, of which only what `shape` names is looked at.

    Raises:
        PlatformFault: It is not in that form.
    """
    try:
        return msgspec.json.decode(body, type=shape, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        told = "The platform's answer is not in the form of its API."
        raise PlatformFault(PlatformTrouble.BUSY, told) from error


def told(text: str) -> str:
    """What a platform said, as it may be shown."""
    return "".join(sign for sign in text if sign.isprintable())[:DETAIL_CHARACTERS]


def seconds(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` asks for, if it is a number."""
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
