"""What a provider's error means: the table by which calls are repeated, paused or given up.

Owns the difference between "too fast", which passes, and "no credit", which does not: both come as
429, so the code decides, never the status alone.
https://platform.openai.com/docs/guides/error-codes, https://docs.claude.com/en/api/errors,
https://openrouter.ai/docs/api-reference/errors
"""

from typing import Any

import msgspec

from engarde_daemon.adapters.llm.wire import Refusal
from engarde_daemon.domain.outside_text import one_line
from engarde_daemon.ports.models import FaultKind, ModelFault

DETAIL_CHARACTERS = 300

_SPENT = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        "billing_error",
    }
)
_LOCKING = frozenset({"authentication_error", "permission_error", "invalid_api_key"})
_BUSY = frozenset(
    {"overloaded_error", "rate_limit_error", "rate_limit_exceeded", "slow_down", "conflict_error"}
)
_BROKEN = frozenset({"api_error", "timeout_error", "server_error"})
_LOCKING_STATUSES = frozenset({401, 402, 403, 404})
_BUSY_STATUSES = frozenset({409, 425, 429, 503, 529})
_SERVER = 500


class ProviderError(msgspec.Struct, frozen=True, kw_only=True):
    """An error as any of the dialects writes it, taken apart."""

    message: str = ""
    codes: frozenset[str] = frozenset()
    param: str = ""


def error_in(document: object) -> ProviderError:
    """The error in a document; whatever is not there stays empty."""
    told: Any = document.get("error", document) if isinstance(document, dict) else document
    if isinstance(told, str):
        return ProviderError(message=told)
    if not isinstance(told, dict):
        return ProviderError()
    details = told.get("details")
    inner = details.get("error_code") if isinstance(details, dict) else None
    codes = (told.get("code"), told.get("type"), inner)
    return ProviderError(
        message=str(told.get("message") or ""),
        codes=frozenset(code for code in codes if isinstance(code, str)),
        param=str(told.get("param") or ""),
    )


def error_of(refusal: Refusal) -> ProviderError:
    """The error in the body of a refusal, which may be no JSON at all."""
    try:
        return error_in(msgspec.json.decode(refusal.body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ProviderError()


def fault_of(refusal: Refusal) -> ModelFault:
    """What a refusal means."""
    error = error_of(refusal)
    kind = _kind_of(error, refusal.status)
    told = told_by(error, f"HTTP {refusal.status}")
    return ModelFault(kind, told, after_s=_retry_after(refusal))


def fault_in_stream(document: object) -> ModelFault:
    """What an error means that comes after the answer had begun."""
    error = error_in(document)
    kind = _kind_of(error, 0)
    if kind is FaultKind.REJECTED:
        kind = FaultKind.BROKEN  # it was good enough to begin with
    return ModelFault(kind, told_by(error, "the answer broke off"))


def _kind_of(error: ProviderError, status: int) -> FaultKind:
    if error.codes & _SPENT or error.codes & _LOCKING:
        return FaultKind.LOCKED
    if error.codes & _BUSY:
        return FaultKind.BUSY
    if error.codes & _BROKEN:
        return FaultKind.BROKEN
    if status in _LOCKING_STATUSES:
        return FaultKind.LOCKED
    if status in _BUSY_STATUSES:
        return FaultKind.BUSY
    return FaultKind.BROKEN if status >= _SERVER or status == 408 else FaultKind.REJECTED


def _retry_after(refusal: Refusal) -> float | None:
    """The seconds a provider asks for; a date or nonsense counts as not said."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = refusal.headers.get(name, "")
        if text.replace(".", "", 1).isdigit() and len(text) < 12:
            return float(text) * unit
    return None


def told_by(error: ProviderError, otherwise: str) -> str:
    """A bounded sentence for the tenant; it is the provider's, and only text."""
    said = one_line(error.message, DETAIL_CHARACTERS)
    return f"The provider says: {said or otherwise}"
