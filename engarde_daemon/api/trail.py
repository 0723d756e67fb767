"""What goes into the audit log: every write that reached a route, and every read of an admin route.

Owns the form of an entry. Nothing a caller chose gets in but ids, cut to what an id may be.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from litestar.types import Scope

from actors.auditor.messages import Audited, AuditorMessage
from engarde_daemon.core import ActorStopped, Address, MailboxFull
from engarde_daemon.domain.access import Principal
from engarde_daemon.ports.register import AuditEntry

AUDITED = "audited"
"""Set in the `opt` of a route whose reads are written down as well."""

SUBJECT_CHARACTERS_MAX = 100
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOG = structlog.get_logger("engarde.audit")


class Trail:
    """Tells the auditor who did what."""

    def __init__(
        self,
        auditor: Address[AuditorMessage],
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._auditor = auditor
        self._now = now
        self._new_id = new_id

    def note(self, scope: Any, *, status: int, request_id: str, location: str) -> None:
        """Have a request written down if it is one of those; never waits and never fails."""
        route = scope.get("route_handler")
        principal = scope.get("user")
        if route is None or not isinstance(principal, Principal):
            return
        if scope["method"] in _READS and AUDITED not in route.opt:
            return
        entry = AuditEntry(
            id=self._new_id(),
            tenant_id=principal.tenant_id,
            at=self._now(),
            principal_id=principal.key_id,
            user_id=principal.user_id,
            role=principal.role.value,
            operation=str(route.operation_id or route.handler_name)[:60],
            subject_id=_subject_of(scope, location),
            status=status,
            request_id=request_id,
            address=_address_of(scope),
        )
        try:
            self._auditor.offer(Audited(entry))
        except (MailboxFull, ActorStopped):
            _LOG.error("audit entry lost", operation=entry.operation, request_id=request_id)


def _subject_of(scope: Scope, location: str) -> str | None:
    """The id that the path ends with, or that of what was made."""
    named = [str(value) for value in scope.get("path_params", {}).values()]
    subject = named[0] if named else location.rpartition("/")[2]
    return subject[:SUBJECT_CHARACTERS_MAX] if subject and subject.isprintable() else None


def _address_of(scope: Scope) -> str:
    client = scope.get("client")
    return client[0][:45] if client else ""
