"""Whether a key opens the dashboard: the daemon says so, nobody else.

Owns the questions: few at a time, each with a deadline, and no key in any answer.
"""

import anyio
import httpx

from tui.http_feed import open_client

ASKED_AT_ONCE_MAX = 4
ANSWER_LIMIT_S = 10.0
_OVERVIEW = "/api/admin/overview"
_AWAY = "The daemon does not answer. Try again when it does."
_REASONS = {
    401: "The daemon does not know this key.",
    403: "This key does not open the dashboard: it needs an operator's, which may be read-only.",
}


class Gate:
    """The daemon, asked about keys."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._room = anyio.CapacityLimiter(ASKED_AT_ONCE_MAX)

    async def refusal(self, key: str) -> str | None:
        """Why a key does not open the dashboard; None if it does."""
        if not key.isascii() or not key.isprintable():
            return _REASONS[401]
        try:
            async with self._room, open_client(self._url, key) as client:
                answer = await client.get(_OVERVIEW, timeout=ANSWER_LIMIT_S)
        except httpx.HTTPError:
            return _AWAY
        return None if answer.is_success else _REASONS.get(answer.status_code, _AWAY)
