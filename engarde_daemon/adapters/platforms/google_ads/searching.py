"""Questions to Google Ads, over `searchStream`.

Owns what an error means. Google writes it as an object, or, in a stream, as a list of one, or as the
last of a list that began well: each is read. A token that ran out is renewed once.

https://developers.google.com/google-ads/api/rest/common/search
https://developers.google.com/google-ads/api/docs/common-errors
"""

import re
from http import HTTPStatus

import msgspec

from engarde_daemon.adapters.http import Reply
from engarde_daemon.adapters.platforms.google_ads.shapes import Batch, Failure, FailureError, Row
from engarde_daemon.adapters.platforms.google_ads.tokens import Tokens
from engarde_daemon.adapters.platforms.wire import PlatformWire, decoded, seconds, told
from engarde_daemon.ports.platforms import GoogleAdsSecret, PlatformFault, PlatformTrouble

_BUSY = {
    "RESOURCE_EXHAUSTED",
    "RESOURCE_TEMPORARILY_EXHAUSTED",
    "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION",
    "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION",
    "TRANSIENT_ERROR",
    "INTERNAL_ERROR",
    "DEADLINE_EXCEEDED",
}
_OLD_TOKEN = {"OAUTH_TOKEN_EXPIRED", "OAUTH_TOKEN_INVALID"}
_LOCKED = {"OAUTH_TOKEN_REVOKED", "OAUTH_TOKEN_DISABLED"}
_DELAY = re.compile(r"([0-9]{1,6})(\.[0-9]+)?s")


class _TokenTooOld(Exception):
    """Google wants another token."""


class Search:
    """Asks about one account."""

    def __init__(
        self, wire: PlatformWire, tokens: Tokens, secret: GoogleAdsSecret, *, base_url: str
    ) -> None:
        self._wire = wire
        self._tokens = tokens
        self._secret = secret
        customer_id = secret.customer_id.replace("-", "")
        self._url = f"{base_url}/customers/{customer_id}/googleAds:searchStream"

    async def rows(self, query: str) -> list[Row]:
        """Every row of the answer to a query.

        Raises:
            PlatformFault: There is no answer.
        """
        try:
            return await self._asked(query)
        except _TokenTooOld:
            self._tokens.forget(self._secret)
        try:
            return await self._asked(query)
        except _TokenTooOld:
            lost = "Google takes no token of this credential. Connect the account anew."
            raise PlatformFault(PlatformTrouble.LOCKED, lost) from None

    async def _asked(self, query: str) -> list[Row]:
        headers = {"authorization": f"Bearer {await self._tokens.token_of(self._secret)}"}
        if self._secret.login_customer_id is not None:
            headers["login-customer-id"] = self._secret.login_customer_id.replace("-", "")
        reply = await self._wire.ask("POST", self._url, json={"query": query}, headers=headers)
        if reply.status != HTTPStatus.OK:
            raise _refusal(_failure_in(reply.body), reply)
        batches = decoded(reply.body, list[Batch])
        for batch in batches:
            if batch.error is not None:  # what came before it is a part of the answer
                raise _refusal(Failure(error=batch.error), reply)
        return [row for batch in batches for row in batch.results]


def _refusal(failure: Failure, reply: Reply) -> Exception:
    # An answer that has begun has said OK already.
    status = reply.status if reply.status != HTTPStatus.OK else failure.error.code or 500
    errors = [error for detail in failure.error.details for error in detail.errors]
    names = {name for error in errors for name in error.error_code.values()}
    said = f"Google Ads says: {told(errors[0].message if errors else failure.error.message)}"
    if names & _OLD_TOKEN or (status == HTTPStatus.UNAUTHORIZED and not names & _LOCKED):
        return _TokenTooOld()
    if names & _LOCKED:
        return PlatformFault(PlatformTrouble.LOCKED, said)
    is_passing = status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500
    if names & _BUSY or is_passing:
        after_s = _delay_of(errors) or seconds(reply.headers)
        return PlatformFault(PlatformTrouble.BUSY, said, after_s=after_s)
    return PlatformFault(PlatformTrouble.REJECTED, said)


def _failure_in(body: bytes) -> Failure:
    try:
        found = msgspec.json.decode(body, type=list[Failure] | Failure)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Failure()
    if isinstance(found, Failure):
        return found
    return found[0] if found else Failure()


def _delay_of(errors: list[FailureError]) -> float | None:
    for error in errors:
        match = _DELAY.fullmatch(error.details.quota_error_details.retry_delay)
        if match is not None:
            return float(match[1])
    return None
