"""The site: a form for the key, a page with a terminal in it, and the socket between the two.

Owns who may come in. A key is asked of the daemon before it is believed, every window runs with its
visitor's own key, so the daemon's rules decide what may be done in it, and there are no more
windows than the machine can carry. textual-serve gives the browser its half (the terminal and its
font, https://github.com/Textualize/textual-serve); its own server knows no visitors (1.1).
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import anyio
import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from tui.web.dashboard import Dashboard, Size, opened
from tui.web.gate import Gate
from tui.web.headers import is_encrypted, is_own_page, protect
from tui.web.visitors import Visitor, Visitors

WINDOWS_MAX = 8
BODY_BYTES_MAX = 4096
MESSAGE_BYTES_MAX = 256 * 1024
HEARTBEAT_S = 15.0
SEND_LIMIT_S = 15.0
COOKIE = "engarde_dashboard"
_OWN = Path(__file__).parent / "static"
_FULL = "As many dashboards are open as this server can carry. Close one and try again."
_FOREIGN = "This does not come from a page of this server."
_NO_KEY = "Show a key first."
_NONSENSE = (msgspec.DecodeError, RecursionError)


class Site:
    """The dashboard of one daemon, for everybody with a key to it."""

    def __init__(self, url: str, visitors: Visitors, gate: Gate, *, light: bool) -> None:
        self._url = url
        self._visitors = visitors
        self._gate = gate
        self._light = light
        self._windows = 0
        self._closing = anyio.Event()

    def application(self) -> web.Application:
        """The site as aiohttp serves it."""
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.add_routes(
            [
                web.get("/", self.show),
                web.post("/enter", self.enter),
                web.post("/leave", self.leave),
                web.get("/ws", self.sit),
                web.static("/page", _OWN / "page"),
                web.static("/terminal", Path(str(files("textual_serve"))) / "static"),
            ]
        )
        app.on_response_prepare.append(protect)
        app.on_shutdown.append(self._close)
        return app

    async def show(self, request: web.Request) -> web.Response:
        """The dashboard, or the form for the key."""
        if self._visitor(request) is None:
            return _form()
        return _page("dashboard.html")

    async def enter(self, request: web.Request) -> web.Response:
        """Take a key, and give a cookie for it."""
        if not is_own_page(request):
            return _form(_FOREIGN, status=403)
        key = str((await request.post()).get("key", "")).strip()
        if refusal := await self._gate.refusal(key):
            return _form(refusal, status=403)
        token = self._visitors.admit(key)
        if token is None:
            return _form(_FULL, status=503)
        answer = _back()
        answer.set_cookie(
            COOKIE, token, httponly=True, samesite="Strict", secure=is_encrypted(request)
        )
        return answer

    async def leave(self, request: web.Request) -> web.Response:
        """Forget the key, and close its windows."""
        if not is_own_page(request):
            return _form(_FOREIGN, status=403)
        self._visitors.dismiss(request.cookies.get(COOKIE, ""))
        answer = _back()
        answer.del_cookie(COOKIE, httponly=True, samesite="Strict")
        return answer

    async def sit(self, request: web.Request) -> web.StreamResponse:
        """A window: a dashboard of its own for as long as it is open."""
        if not is_own_page(request):
            return web.Response(status=403, text=_FOREIGN)
        visitor = self._visitor(request)
        if visitor is None:
            return web.Response(status=403, text=_NO_KEY)
        if self._windows >= WINDOWS_MAX or self._closing.is_set():
            return web.Response(status=503, text=_FULL)
        self._windows += 1
        try:
            return await self._seat(request, visitor)
        finally:
            self._windows -= 1

    async def _seat(self, request: web.Request, visitor: Visitor) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_BYTES_MAX)
        await socket.prepare(request)
        size = Size(_number(request, "width", 80), _number(request, "height", 24))
        with visitor.window() as window:
            window.deadline = visitor.until
            async with opened(self._url, visitor.key, size, light=self._light) as dashboard:
                await self._converse(dashboard, socket)
        with anyio.move_on_after(SEND_LIMIT_S):
            await socket.close(code=WSCloseCode.GOING_AWAY)
        return socket

    async def _converse(self, dashboard: Dashboard, socket: web.WebSocketResponse) -> None:
        async with anyio.create_task_group() as tasks:

            async def until_over(part: Callable[[], Awaitable[None]]) -> None:
                await part()
                tasks.cancel_scope.cancel()

            tasks.start_soon(until_over, self._closing.wait)
            tasks.start_soon(until_over, lambda: _draw(dashboard, socket))
            tasks.start_soon(until_over, lambda: _listen(dashboard, socket))

    async def _close(self, _app: web.Application) -> None:
        self._closing.set()

    def _visitor(self, request: web.Request) -> Visitor | None:
        return self._visitors.recognise(request.cookies.get(COOKIE, ""))


async def _draw(dashboard: Dashboard, socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError, TimeoutError):
        async for drawn in dashboard.drawn():
            with anyio.fail_after(SEND_LIMIT_S):
                await socket.send_bytes(drawn)


async def _listen(dashboard: Dashboard, socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError, TimeoutError, anyio.BrokenResourceError, *_NONSENSE):
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                return
            said = msgspec.json.decode(message.data)
            with anyio.fail_after(SEND_LIMIT_S):
                await _hear(dashboard, socket, said)


async def _hear(dashboard: Dashboard, socket: web.WebSocketResponse, said: Any) -> None:
    match said:
        case ["stdin", str(keys)]:
            await dashboard.type(keys)
        case ["resize", {"width": int(columns), "height": int(lines)}]:
            await dashboard.resize(Size(columns, lines))
        case ["focus" | "blur" as which]:
            await dashboard.focus(has_it=which == "focus")
        case ["ping", str(word)]:
            await socket.send_str(msgspec.json.encode(["pong", word]).decode())


def _form(refusal: str = "", *, status: int = 200) -> web.Response:
    return _page("enter.html", status=status, refusal=escape(refusal))


def _back() -> web.Response:
    return web.Response(status=303, headers={"Location": "/"})


def _page(name: str, *, status: int = 200, **words: str) -> web.Response:
    text = Template((_OWN / name).read_text(encoding="utf-8")).substitute(words)
    return web.Response(text=text, content_type="text/html", status=status)


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 5 else default
