"""The dashboard in a browser: who may see it, what they see, and what is left of it."""

from collections.abc import AsyncIterator
from http import HTTPStatus

import aiohttp
import pytest

from tests.support.browsing import Browser, Server, browser, served
from tests.support.daemon import SharedDaemon
from tui.web.site import COOKIE, WINDOWS_MAX


@pytest.fixture(scope="module")
async def server(anyio_backend: str, shared_daemon: SharedDaemon) -> AsyncIterator[Server]:
    """The dashboard of the shared daemon, served to browsers."""
    async with served(shared_daemon.process.base_url) as server:
        yield server


@pytest.fixture
async def visitor(server: Server) -> AsyncIterator[Browser]:
    """A browser that was never here before."""
    async with browser(server) as opened:
        yield opened
    await server.until_alone()


@pytest.fixture
async def key(daemon: SharedDaemon) -> str:
    """An operator's key."""
    return daemon.new_key(await daemon.quick_tenant(), "operator").api_key


async def refused(visitor: Browser, **headers: str) -> int:
    """How a window is refused."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with visitor.window(**headers):
            pass
    return refusal.value.status


async def test_without_a_key_there_is_a_form_and_no_dashboard(visitor: Browser, server: Server):
    """Neither the page nor the socket behind it."""
    async with visitor.http.get("/") as page:
        text = await page.text()

    assert 'type="password"' in text
    assert "terminal" not in text
    assert await refused(visitor) == HTTPStatus.FORBIDDEN
    assert await refused(visitor, Cookie=f"{COOKIE}=guessed") == HTTPStatus.FORBIDDEN
    assert not server.dashboards()


@pytest.mark.parametrize("wrong", ["", "eg_aaaaaaaaaaaa_nothing", "schlüssel", "a\r\nX: b"])
async def test_a_key_that_the_daemon_does_not_know_opens_nothing(visitor: Browser, wrong: str):
    """And the page says why, without the key."""
    answer = await visitor.enter(wrong)

    assert answer.status == HTTPStatus.FORBIDDEN
    assert "does not know this key" in await answer.text()
    assert not wrong or wrong not in await answer.text()
    assert "Set-Cookie" not in answer.headers


async def test_a_tenants_key_opens_nothing(visitor: Browser, daemon: SharedDaemon):
    """The dashboard shows all tenants."""
    administrator = daemon.new_key(await daemon.quick_tenant(), "admin")

    answer = await visitor.enter(administrator.api_key)

    assert answer.status == HTTPStatus.FORBIDDEN
    assert "it needs an operator" in await answer.text()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_cannot_speak_for_a_visitor(visitor: Browser, key: str, origin: str):
    """Neither open a window with the visitor's cookie nor send the form."""
    assert (await visitor.enter(key)).status == HTTPStatus.SEE_OTHER

    assert await refused(visitor, Origin=origin) == HTTPStatus.FORBIDDEN
    assert (await visitor.enter(key, Origin=origin)).status == HTTPStatus.FORBIDDEN


async def test_an_operator_sees_and_steers_the_daemon(visitor: Browser, key: str):
    """The same dashboard as in a terminal."""
    await visitor.enter(key)

    async with visitor.window() as window:
        await window.shown("● live")
        text = await window.shown("Is content safe?")
        assert "PostgreSQL" in text
        await window.type("2")
        await window.shown("Actors of")
        await window.type("8")
        await window.shown("ready")
        await window.type("q")
        await window.closed()


async def test_a_key_that_may_only_read_can_change_nothing(visitor: Browser, daemon: SharedDaemon):
    """The daemon's own rules hold for every window."""
    tenant = await daemon.quick_tenant()
    reading = daemon.command(
        "keys", "create", "--tenant", tenant.tenant_id, "--role", "operator", "--read-only"
    )
    await visitor.enter(reading["api_key"])

    async with visitor.window() as window:
        await window.shown("read only")


async def test_the_key_is_told_to_nobody(visitor: Browser, server: Server, key: str):
    """It stands in no argument, no page and no cookie; the cookie is for this site's pages alone."""
    answer = await visitor.enter(key)
    async with visitor.window() as window, visitor.http.get("/") as page:
        await window.shown("● live")
        shown = await page.text()
        arguments = [word for one in server.dashboards() for word in one.cmdline()]

    secret = key.rpartition("_")[2]
    assert arguments
    assert not [word for word in arguments if secret in word]
    assert secret not in shown
    cookie = answer.headers["Set-Cookie"]
    assert secret not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


async def test_a_visitor_who_leaves_is_forgotten(visitor: Browser, key: str):
    """The open window is closed, and the cookie opens none."""
    answer = await visitor.enter(key)
    async with visitor.window() as window:
        await window.shown("● live")
        await visitor.leave()
        await window.closed()

    assert await refused(visitor, Cookie=f"{COOKIE}={answer.cookies[COOKIE].value}") == 403


async def test_there_are_no_more_windows_than_the_server_can_carry(
    visitor: Browser, server: Server, key: str
):
    """One too many is refused, and a closed one gives its place back."""
    await visitor.enter(key)
    await fill(visitor, WINDOWS_MAX)
    await server.until_alone()

    async with visitor.window() as window:
        await window.shown("En Garde".upper())


async def fill(visitor: Browser, left: int) -> None:
    """Open so many windows, and then one too many."""
    if not left:
        assert await refused(visitor) == HTTPStatus.SERVICE_UNAVAILABLE
        return
    async with visitor.window():
        await fill(visitor, left - 1)


@pytest.mark.parametrize("said", ["no JSON", '["resize", {"width": "wide"}]', '{"a": 1}', "[]"])
async def test_nonsense_from_a_browser_harms_no_other_window(visitor: Browser, key: str, said: str):
    """The worst it does is to close its own."""
    await visitor.enter(key)

    async with visitor.window() as other, visitor.window() as window:
        await window.socket.send_str(said)
        await other.shown("● live")


async def test_everything_comes_from_the_server_itself_and_nothing_may_be_framed(
    visitor: Browser, key: str
):
    """It works without the internet, and the browser holds it to that."""
    await visitor.enter(key)

    async with visitor.http.get("/") as page:
        text, headers = await page.text(), page.headers
    for path in ("/terminal/js/textual.js", "/terminal/css/xterm.css", "/page/page.js"):
        assert path in text
        async with visitor.http.get(path) as part:
            assert part.status == HTTPStatus.OK
            assert part.headers["X-Content-Type-Options"] == "nosniff"
    assert "://" not in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("said", ["no JSON", "[" * 100_000])
async def test_nonsense_closes_its_window_in_good_order(visitor: Browser, key: str, said: str):
    """As one that was left, and not as a fault of the server."""
    await visitor.enter(key)

    async with visitor.window() as window:
        await window.socket.send_str(said)
        await window.closed()

        assert window.socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
