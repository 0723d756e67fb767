"""Everything that can be refused, as a tree by what the caller can do about it.

    EngardeError
      + Rejected        the request is wrong: change it
        - Invalid         fields are wrong, all of them named
        - NotFound        no such thing, or not yours: both look the same
        - Forbidden       the caller's role does not reach that far
        - Unauthenticated no valid key or token came with the request
        - RefusedTogether one of several things was refused, so none was done
      + Conflict        the world moved on: look again
        - VersionConflict another change came first
        - IllegalTransition  the status cannot follow the present one
        - NotInTrash      it was not deleted
        - NotConfirmed    there are more or fewer than the caller expects
        - KeyReused       this idempotency key belongs to another request
      + Exhausted       a limit is reached: make room, or raise it
        - QuotaExceeded   the plan has no room for it
      + Retryable       try again, not before `after_s`
        - Unavailable     a dependency does not answer
          - ArchiveUnavailable  and it is the archive
        - StagingFull     bodies wait for ZeroDB, and no more may
        - RateLimited     too many requests in too short a time
      + Denied          an outside service refuses our credentials: give them the permission
      + StreamLost      a stream of the archive takes nothing more: open another
      + Corrupt         a store answered with something it must not

Each error says once what its problem is called over HTTP (RFC 9457). Its public attributes become
members of the problem document, so none of them may hold a secret or another tenant's data.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, ClassVar

import msgspec

from engarde_daemon.core.errors import Refusal
from engarde_daemon.domain.plans import GB, Plan, storage_phrase


class EngardeError(Refusal):
    """Something was refused for a reason the caller can understand."""

    type_: ClassVar[str] = "error"
    title: ClassVar[str] = "The request could not be served"
    status: ClassVar[int] = 500

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def told(self) -> str:
        """The detail as a caller may read it: without what is only the operator's business."""
        return self.detail

    def members(self) -> dict[str, Any]:
        """What the problem document says beyond type, title, status and detail."""
        return {name: value for name, value in vars(self).items() if name != "detail"}


class Rejected(EngardeError):
    """The request is wrong and will stay wrong."""

    type_ = "rejected"
    title = "The request was refused"
    status = 400


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Invalid(Rejected):
    """Fields are wrong; `errors` names every one of them."""

    type_ = "invalid_request"
    title = "Some fields are not valid"
    status = 422
    errors: list[FieldError]

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class Malformed(Rejected):
    """The request body is no JSON document."""

    type_ = "malformed_request"
    title = "The request could not be read"
    status = 400


class NotFound(Rejected):
    """There is no such thing, or it is not the caller's; both look the same on purpose."""

    type_ = "not_found"
    title = "Not found"
    status = 404


class Unauthenticated(Rejected):
    """No valid key or token came with the request."""

    type_ = "unauthenticated"
    title = "A valid API key or token is needed"
    status = 401


class Forbidden(Rejected):
    """The caller's role does not reach that far."""

    type_ = "forbidden"
    title = "Your role does not allow this"
    status = 403


class RefusedTogether(Rejected):
    """Some of several things were refused, each for its own reason, so none was done."""

    def __init__(self, refusals: Mapping[int, EngardeError]) -> None:
        self.refusals = dict(sorted(refusals.items()))
        super().__init__(
            f"{len(refusals)} of the items were refused, so none was made. "
            f"The first: {next(iter(self.refusals.values())).detail}"
        )


class Conflict(EngardeError):
    """The world moved on since the caller last looked."""

    type_ = "conflict"
    title = "The request conflicts with the present state"
    status = 409


class VersionConflict(Conflict):
    """Another change came first; `current_version` is what to look at."""

    type_ = "version_conflict"
    title = "It has changed since you read it"
    status = 412
    current_version: int

    def __init__(self, current_version: int, *, of: str = "The content") -> None:
        super().__init__(
            f"{of} is at version {current_version}. Read it again, then repeat the change."
        )
        self.current_version = current_version


class IllegalTransition(Conflict):
    """The status cannot follow the present one."""

    type_ = "illegal_transition"
    title = "This status cannot follow the present one"
    present_status: str
    allowed: list[str]

    def __init__(self, present: str, wanted: str, allowed: list[str]) -> None:
        super().__init__(
            f"A content that is {present} can become {', '.join(allowed)}, not {wanted}."
        )
        self.present_status = present
        self.allowed = allowed


class NotInTrash(Conflict):
    """Only what was deleted can be taken out of the trash."""

    type_ = "not_in_trash"
    title = "The content is not in the trash"

    def __init__(self) -> None:
        super().__init__("The content was not deleted; there is nothing to restore.")


class NotConfirmed(Conflict):
    """There are more or fewer than the caller expects; `matching` is how many."""

    type_ = "not_confirmed"
    title = "The filter does not match what you confirmed"
    matching: int

    def __init__(self, matching: int) -> None:
        super().__init__(f"The filter matches {matching} items now. Look at them, then confirm.")
        self.matching = matching


class KeyReused(Conflict):
    """The idempotency key came before with another request."""

    type_ = "idempotency_key_reused"
    title = "This Idempotency-Key belongs to another request"
    status = 422

    def __init__(self) -> None:
        super().__init__("Send a new Idempotency-Key, or the same request as before.")


class Exhausted(EngardeError):
    """A limit is reached."""

    type_ = "limit_reached"
    title = "A limit is reached"
    status = 403


class Retryable(EngardeError):
    """It may work later; `after_s` says when to try."""

    type_ = "try_again"
    title = "Please try again"
    status = 503

    def __init__(self, detail: str, *, after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.after_s = after_s


class Evidence(Enum):
    """What a failed call says about the store that was called."""

    OUTAGE = auto()
    """It is ill, whoever called."""
    REFUSAL = auto()
    """It is ill if nobody provoked it: a probe did not."""
    NONE = auto()
    """It is there, and asks for time."""


class Unavailable(Retryable):
    """A dependency of the daemon does not answer."""

    evidence: ClassVar[Evidence] = Evidence.OUTAGE
    type_ = "unavailable"
    title = "A store the daemon depends on does not answer"


class ArchiveUnavailable(Unavailable):
    """The archive does not answer; the detail may name its folder, or its project and dataset."""

    @property
    def told(self) -> str:
        """That it is the archive, and no more."""
        return "The archive does not answer. Nothing is lost; try again later."


class StagingFull(Retryable):
    """As many bodies wait for ZeroDB as may wait."""

    type_ = "staging_full"
    title = "No more content can be taken in while ZeroDB is away"

    def __init__(self) -> None:
        super().__init__(
            "Bodies wait for ZeroDB up to the limit ([delivery] staging_limit_bytes). What was "
            "acknowledged is safe; reading, deleting and changes that keep the body go on.",
            after_s=5.0,
        )


class RateLimited(Retryable):
    """The caller or its tenant sent more requests than `[limits]` allows."""

    type_ = "rate_limited"
    title = "Too many requests"
    status = 429


class Denied(EngardeError):
    """An outside service refuses the daemon's own credentials; the detail names what they lack."""

    type_ = "denied_by_dependency"
    title = "A store the daemon depends on refuses its credentials"
    status = 503

    @property
    def told(self) -> str:
        """Whom it concerns."""
        return "Only the daemon's operator can mend this: `engarde doctor` shows what is missing."


class StreamLost(EngardeError):
    """A stream of the archive takes nothing more, or misses a batch before this one."""

    type_ = "stream_lost"
    title = "The archive's stream has to be opened anew"
    status = 503


class Corrupt(EngardeError):
    """A store answered with something it must not."""

    type_ = "corrupt"
    title = "Stored data did not pass its check"
    status = 500


class QuotaExceeded(Exhausted):
    """The tenant's plan has no room for what is to be stored."""

    type_ = "storage_quota_exceeded"
    title = "Storage limit exceeded"
    status = 403
    error: str
    plan_tier: str
    current_usage_gb: float
    limit_gb: float | None
    upgrade_suggestion: str | None

    def __init__(
        self, plan: Plan, *, used_bytes: int, wanted_bytes: int, suggestion: str | None
    ) -> None:
        super().__init__(
            f"Your {plan.name} plan allows {storage_phrase(plan.storage_bytes)}, of which "
            f"{used_bytes / GB:.2f} GB are used or reserved; this needs {wanted_bytes} bytes more."
        )
        self.error = self.type_
        self.plan_tier = plan.name
        self.current_usage_gb = used_bytes / GB
        self.limit_gb = None if plan.storage_bytes is None else plan.storage_bytes / GB
        self.upgrade_suggestion = suggestion
