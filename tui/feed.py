"""What the dashboard needs of a daemon: its news and log, tenants, parked rows, and orders carried out.

Owns the seam between screens and network. Screens know only this, so a daemon, a script for pictures
and a test can each stand behind it.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

import msgspec

from engarde_daemon.protocol import FeedFrame, LogPage
from tui.orders import Order

OPERATOR = "operator"
READ_ONLY = "This key may only read. Acting needs an operator's key."


class Linked(msgspec.Struct, frozen=True):
    """The daemon answers; `role` is what the key may do, None where the daemon does not say."""

    role: str | None = None


class Lost(msgspec.Struct, frozen=True):
    """The daemon does not answer; it is asked again after a pause."""

    why: str
    again_in_s: float


News: TypeAlias = Linked | Lost | FeedFrame


class Refused(Exception):
    """An order was not carried out; the text says why."""

    def __init__(self, reason: str, *, forbidden: bool = False) -> None:
        super().__init__(reason)
        self.forbidden = forbidden


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant and what it keeps; a limit of None is none."""

    tenant_id: str
    name: str
    plan: str
    items: int
    media_files: int
    used_bytes: int
    pending_bytes: int
    limit_bytes: int | None
    level: str


class TenantWish(msgspec.Struct, frozen=True, kw_only=True):
    """Which tenants to see, in which order."""

    page: int = 1
    sort: str = "-usage"
    level: str | None = None
    search: str = ""


class TenantPage(msgspec.Struct, frozen=True):
    """Some tenants, and how many there are."""

    rows: Sequence[Standing]
    total: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One difference that a recovery job found."""

    store: str
    kind: str
    tenant_id: str
    content_id: str
    version: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a recovery job found and did."""

    versions: int = 0
    waiting: int = 0
    restored: int = 0
    counts: dict[str, int] = {}
    differences: Sequence[Finding] = ()
    differences_total: int = 0


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A version that a queue could not get rid of, and why; `attempts` is None where nobody counts."""

    queue: str
    tenant_id: str
    content_id: str
    version: int
    reason: str
    since: datetime
    attempts: int | None = None


class Feed(Protocol):
    """A daemon, as the dashboard sees it."""

    @property
    def where(self) -> str:
        """What the operator knows the daemon by."""

    def follow(self) -> AsyncIterator[News]:
        """Everything that happens, for ever; a lost daemon is looked for again."""

    async def tenants(self, wish: TenantWish) -> TenantPage:
        """A page of tenants.

        Raises:
            Refused: The daemon does not answer, or not with this.
        """

    async def report(self, job_id: str) -> Report:
        """What a recovery job has found so far.

        Raises:
            Refused: The daemon does not answer, or not with this.
        """

    async def parked(self) -> Sequence[Parked]:
        """Some of what was refused or put off, queue by queue, the oldest first.

        Raises:
            Refused: The daemon does not answer, or not with this.
        """

    async def log(self, after: str) -> LogPage:
        """Lines of the daemon's log after a cursor; without one, the newest.

        Raises:
            Refused: The daemon does not answer, or not with this.
        """

    async def carry_out(self, order: Order) -> None:
        """Have an order carried out.

        Raises:
            Refused: It was not; the text says why.
        """
