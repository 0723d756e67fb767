"""Where the platform's issuer publishes its signing keys, read with bounds on time and size."""

from urllib.parse import urlsplit

import httpx

from engarde_daemon.adapters.http import Bounds, exchange
from engarde_daemon.domain.errors import Unavailable

BYTES_MAX = 262_144


class Publication:
    """Fetches one fixed address; the client does not follow redirects, which could lead anywhere."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, timeout_s: float) -> None:
        self._client = client
        self._url = url
        self._place = f"{urlsplit(url).hostname} ([auth] jwks_url)"
        self._bounds = Bounds(timeout_s=timeout_s, body_bytes=BYTES_MAX)

    async def fetch(self) -> bytes:
        """What is published there now.

        Raises:
            Unavailable: It does not answer in time, answers an error, or answers too much.
        """
        request = self._client.build_request(
            "GET", self._url, headers={"accept": "application/jwk-set+json, application/json"}
        )
        try:
            reply = await exchange(self._client, request, self._bounds)
        except (httpx.RequestError, TimeoutError) as error:
            reason = type(error).__name__
            raise Unavailable(f"{self._place} cannot be asked: {reason}.") from error
        if reply.status != httpx.codes.OK:
            raise Unavailable(f"{self._place} answers {reply.status}.")
        if len(reply.body) >= BYTES_MAX:
            raise Unavailable(f"{self._place} answers {BYTES_MAX} bytes or more.")
        return reply.body
