"""What may be asked of the custodian. Whether the asker may, was found out at the edge."""

from typing import TypeAlias

from engarde_daemon.core import Request
from engarde_daemon.ports.media import Attempt, Beginning, Keeping, NewMedia, Promise


class BeginUpload(Request[Beginning], frozen=True, kw_only=True):
    """Write the intent to keep a file down."""

    attempt: Attempt
    lease_s: float


class ExtendUpload(Request[bool], frozen=True, kw_only=True):
    """Say that the writer lives, and note room that it is about to reserve."""

    attempt: Attempt
    reservation_id: str | None
    lease_s: float


class KeepUpload(Request[Keeping], frozen=True, kw_only=True):
    """Turn what was stored into a file."""

    attempt: Attempt
    file: NewMedia
    promises: tuple[Promise, ...]


class GiveUpUpload(Request[None], frozen=True, kw_only=True):
    """End an attempt that came to nothing."""

    attempt: Attempt


class DeleteMedia(Request[bool], frozen=True, kw_only=True):
    """Forget a file."""

    tenant_id: str
    media_id: str


CustodianMessage: TypeAlias = BeginUpload | ExtendUpload | KeepUpload | GiveUpUpload | DeleteMedia
