"""The places at which the daemon may be harmed on purpose, to prove that nothing is lost there.

Owns the list. A place is passed by `await PLACE.reached()`, at which nothing happens: nothing in
the daemon can arm one, no setting, no variable and no file. What arms them lies in
`engarde_daemon.testing.faulty`, which the daemon's own command cannot import.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final


async def _go_on() -> None:
    """Do nothing."""


class Failpoint:
    """A place between two things that must not come apart."""

    __slots__ = ("between", "name", "reached")

    def __init__(self, name: str, between: str) -> None:
        self.name = name
        self.between = between
        self.reached: Callable[[], Coroutine[Any, Any, None]] = _go_on


_DECLARED: list[Failpoint] = []


def _declare(name: str, between: str) -> Failpoint:
    point = Failpoint(name, between)
    _DECLARED.append(point)
    return point


def catalogue() -> Sequence[Failpoint]:
    """Every failpoint, in the order in which they stand here."""
    return tuple(_DECLARED)


INGEST_BEFORE_COMMIT: Final = _declare(
    "ingest.before_commit",
    "Writes are planned and admitted; nothing of them is in PostgreSQL.",
)
INGEST_AFTER_COMMIT: Final = _declare(
    "ingest.after_commit",
    "Versions, quota, outbox and bodies are committed; nobody was answered.",
)
DELIVERY_AFTER_CLAIM: Final = _declare(
    "delivery.after_claim",
    "Versions are leased to this daemon; ZeroDB has heard of none of them.",
)
DELIVERY_BETWEEN_COLLECTIONS: Final = _declare(
    "delivery.between_collections",
    "ZeroDB has proved the bodies; what their versions changed was not sent yet.",
)
DELIVERY_AFTER_PUT: Final = _declare(
    "delivery.after_put",
    "ZeroDB has proved both rows of each version; the outbox still owes them, PostgreSQL stages them.",
)
REPLICATOR_AFTER_FREEZE: Final = _declare(
    "replicator.after_freeze",
    "A batch is frozen in PostgreSQL; the archive has nothing of it.",
)
REPLICATOR_AFTER_APPEND: Final = _declare(
    "replicator.after_append",
    "The archive answered for a batch; in PostgreSQL it is still under way.",
)
REPLICATOR_AFTER_FINISH: Final = _declare(
    "replicator.after_finish",
    "PostgreSQL knows that the archive holds a batch; its versions are owed still.",
)
GENERATION_AFTER_ANSWER: Final = _declare(
    "generation.after_answer",
    "A provider answered and is paid; the answer is nowhere but in memory.",
)
GENERATION_AFTER_RECEIPT: Final = _declare(
    "generation.after_receipt",
    "An answer and its price are committed; no content was made of it.",
)
SHELVER_AFTER_WRITE: Final = _declare(
    "shelver.after_write",
    "Answers became content; their items do not name it yet.",
)
CUSTODIAN_AFTER_INTENT: Final = _declare(
    "custodian.after_intent",
    "That a file will be stored is written down; not a byte of it is.",
)
CUSTODIAN_AFTER_STORE: Final = _declare(
    "custodian.after_store",
    "All bytes of a file are stored and their room is promised; it is not a file yet.",
)
CUSTODIAN_AFTER_KEEP: Final = _declare(
    "custodian.after_keep",
    "A file is committed and counted; its sender was not answered.",
)
LEDGER_AFTER_APPLY: Final = _declare(
    "ledger.after_apply",
    "Promises of room are committed; who asked for them was not answered.",
)
STEWARD_AFTER_PUBLISH: Final = _declare(
    "steward.after_publish",
    "One item that was due is published; the others that are due are not.",
)
STEWARD_BEFORE_REMOVAL: Final = _declare(
    "steward.before_removal",
    "A content was erased in PostgreSQL and its removal is claimed; ZeroDB still has its rows.",
)
IMPORTER_BEFORE_NOTE: Final = _declare(
    "importer.before_note",
    "An asset became content, its files are kept; its import does not know.",
)
RECOVERY_BEFORE_PAGE: Final = _declare(
    "recovery.before_page",
    "All pages of a restore before this one are noted as done; nothing of this one is.",
)
