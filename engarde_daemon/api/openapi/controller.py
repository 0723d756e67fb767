"""The routes of the API's description; they need no key, because it tells of no tenant."""

from collections.abc import Callable

import anyio
import anyio.to_thread
import msgspec
from litestar import Controller, Response, get

from engarde_daemon.api.contract import JSON
from engarde_daemon.api.giving import Given
from engarde_daemon.api.openapi.page import page_of
from engarde_daemon.api.openapi.shapes import Schema

# No script, nothing from anywhere else: the page is complete as it is.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Made(msgspec.Struct, frozen=True):
    """The description in both its forms."""

    document: bytes
    page: bytes


class Description:
    """The document and its page, made once when they are first asked for.

    In a thread, because making them takes half a second.
    """

    def __init__(self, describe: Callable[[], Schema]) -> None:
        self._describe = describe
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._made: Made | None = None

    async def read(self) -> Made:
        """Both forms."""
        if self._made is not None:
            return self._made
        return await anyio.to_thread.run_sync(self._make, limiter=self._one_at_a_time)

    def _make(self) -> Made:
        if self._made is None:  # or another was first, while this one waited
            described = self._describe()
            self._made = Made(msgspec.json.encode(described), page_of(described).encode())
        return self._made


class DescriptionController(Controller):
    """The document for machines, the page for people."""

    path = "/"
    include_in_schema = False

    @get(["/schema", "/schema/openapi.json"])
    async def document(self, description: Given[Description]) -> Response[bytes]:
        """The OpenAPI document."""
        return Response((await description.read()).document, media_type=JSON)

    @get("/docs")
    async def page(self, description: Given[Description]) -> Response[bytes]:
        """The same, to be read."""
        page = (await description.read()).page
        headers = {"Content-Security-Policy": _POLICY}
        return Response(page, media_type="text/html", headers=headers)
