"""Route handlers without what Litestar does at each request for handlers that are not ours.

Owns the rule of which shortcuts are sound: a guard never changes the handler it is given, so it
gets the handler itself; an answer that is whole already is sent as it is; and what a handler is
given never changes, so one that makes whole answers is called with what was looked up once.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, ExceptionHandlersMap, Receive, Scope, Send

RawHeaders = list[tuple[bytes, bytes]]
Hook = Callable[[Request[Any, Any, Any]], Awaitable[Any]]


class Ready:
    """An answer in its last form; an ASGI application that serves one request."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, body: bytes, *, status: int = 200, headers: RawHeaders) -> None:
        self.body = body
        self.status = status
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del scope, receive
        length = (b"content-length", str(len(self.body)).encode())
        headers = [*self.headers, length]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class Route(HTTPRouteHandler):
    """A handler of one operation."""

    _answers: Hook | None = None
    _renderers: ExceptionHandlersMap

    def on_registration(self, app: Litestar) -> None:
        """Look up once what Litestar 2.25 looks up at each request."""
        super().on_registration(app)
        self._renderers = super().resolve_exception_handlers()
        takes_request = "request" in self.parsed_fn_signature.parameters
        if takes_request and self.parsed_return_field.annotation is Ready:
            self._answers = self._answering()

    def resolve_exception_handlers(self) -> ExceptionHandlersMap:
        """Say what makes answers of errors."""
        return self._renderers

    def resolve_before_request(self) -> Hook | None:
        """Say what comes first; where that answers, Litestar does nothing else for the handler."""
        return self._answers or super().resolve_before_request()

    def _answering(self) -> Hook:
        """The handler behind whatever is asked first, as a hook of its own."""
        check, handle = super().resolve_before_request(), self.fn
        dependencies = self.resolve_dependencies()
        wanted = self.parsed_fn_signature.parameters.keys() - {"request"}
        given = {name: dependencies[name].dependency() for name in wanted & dependencies.keys()}
        in_path = wanted - given.keys()

        async def answer(request: Request[Any, Any, Any]) -> Any:
            if check is not None:
                await check(request)
            named = {name: request.path_params[name] for name in in_path}
            return await handle(request=request, **given, **named)

        return answer

    async def authorize_connection(self, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
        """Ask every guard; Litestar 2.25 copies the handler for each of them."""
        for guard in self.resolve_guards():
            await guard(connection, self)  # type: ignore[misc]

    async def to_response(
        self, app: Litestar, data: Any, request: Request[Any, Any, Any]
    ) -> ASGIApp:
        """Make an answer of what the handler gave."""
        return data if isinstance(data, Ready) else await super().to_response(app, data, request)


get = partial(Route, http_method=HttpMethod.GET)
post = partial(Route, http_method=HttpMethod.POST)
put = partial(Route, http_method=HttpMethod.PUT)
patch = partial(Route, http_method=HttpMethod.PATCH)
delete = partial(Route, http_method=HttpMethod.DELETE)
