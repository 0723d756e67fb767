"""The dashboard in Chromium, where the machine has one."""

import pytest

from tests.support import chromium
from tests.support.browsing import served
from tests.support.daemon import SharedDaemon

PROGRAM = chromium.find()
SHOWN = "document.body.classList.contains('-first-byte')"
CLOSED = "document.body.classList.contains('-closed')"


@pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium on this machine")
async def test_an_operator_opens_and_leaves_the_dashboard_in_a_real_browser(daemon: SharedDaemon):
    """Typing the key and `q`; nothing is asked of another server, and nothing is complained of."""
    assert PROGRAM is not None
    key = daemon.new_key(await daemon.quick_tenant(), "operator").api_key
    async with served(daemon.process.base_url) as server, chromium.tab(PROGRAM) as tab:
        await tab.open(server.base_url)
        await tab.until("document.activeElement?.id === 'key'")
        await tab.type(key)
        await tab.evaluate("document.querySelector('button').click()")
        await tab.until(SHOWN)
        assert len(server.dashboards()) == 1
        assert await tab.evaluate("document.cookie") == ""

        await tab.evaluate("document.querySelector('textarea').focus()")
        await tab.type("q")
        await tab.until(CLOSED)
        await server.until_alone()

    assert not [words for words in tab.complaints if "Content Security Policy" in words]
    assert not [words for words in tab.complaints if words.startswith("exception")]
    assert {url for url in tab.requests if not url.startswith(server.base_url)} <= {"about:blank"}
