"""What `OPTIONS` says of a path: every method it takes.

Litestar 2.25 answers it with the methods that the path had when its first route was registered, so
that `OPTIONS /api/content` named POST alone (RFC 9110, section 9.3.7, wants all of them).
"""

from collections import defaultdict

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import Message, Receive, Scope, Send


class TruthfulOptions:
    """Wraps the Litestar app; other methods pass untouched."""

    def __init__(self, app: Litestar) -> None:
        self._app = app
        methods: dict[str, set[str]] = defaultdict(set)
        for route in app.routes:
            methods[route.path_format] |= set(route.methods)
        self._allowed = {path: ", ".join(sorted(names)) for path, names in methods.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "OPTIONS":
            await self._app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            allowed = self._allowed.get(str(scope.get("path_template")))
            if message["type"] == "http.response.start" and allowed is not None:
                message["headers"] = [
                    (name, allowed.encode() if name == b"allow" else value)
                    for name, value in message["headers"]
                ]
            await send(message)

        await self._app(scope, receive, tell)
