"""Bodies that PostgreSQL stages, proved before anyone gets them.

Owns the rule that a staged body which is not the acknowledged one, by its hash, counts as not
there, as a damaged row of the body store does: whoever wanted it asks the next place.
"""

import structlog

from engarde_daemon.domain.content import BodyName, Item, sha256_of

TOLD_MAX = 1_000

_LOG = structlog.get_logger("engarde.content")


class Prover:
    """Tells sound bodies from others, and the log of each of the others once."""

    def __init__(self) -> None:
        self._told: set[BodyName] = set()

    def proved(self, item: Item, body: str | None) -> str | None:
        """The body, if it is the item's.

        One that still lies in the platform's row was never hashed, and passes.
        """
        if body is None or not item.body_version or sha256_of(body) == item.sha256:
            return body
        self._tell(item)
        return None

    def _tell(self, item: Item) -> None:
        if item.body_name in self._told:
            return
        if len(self._told) >= TOLD_MAX:
            self._told.clear()
        self._told.add(item.body_name)
        _LOG.error(
            "a staged body is not the one that was acknowledged",
            tenant_id=item.tenant_id,
            content_id=item.id,
            version=item.body_version,
        )
