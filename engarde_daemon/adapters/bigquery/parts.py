"""A batch in parts, which are under way at once.

Owns where one part ends and the next begins. BigQuery tells by the offset of a part alone whether it
is there already, so a batch that is sent again has to fall into the same parts.
"""

from collections.abc import Iterator, Sequence

import msgspec

from engarde_daemon.adapters.bigquery.streams import TooLargeError
from engarde_daemon.domain.errors import Denied, StreamLost, Unavailable
from engarde_daemon.ports.archive import Appended, Frozen

PART_ROWS = 500

Failure = (Denied, StreamLost, TooLargeError, Unavailable)


def parts_of(batch: Frozen) -> Iterator[Frozen]:
    """The batch, so many rows at a time, each part with the offset of its first row."""
    for first in range(0, len(batch.rows), PART_ROWS):
        rows = batch.rows[first : first + PART_ROWS]
        yield msgspec.structs.replace(batch, offset=batch.offset + first, rows=rows)


def together(batch: Frozen, outcomes: Sequence[Appended | Exception]) -> Appended:
    """What became of the batch, by what became of its parts; behind the first that failed, none is there.

    Raises:
        Denied: Of the first part that was not stored.
        StreamLost: Of the first part that was not stored.
        TooLargeError: The first part of all was.
        Unavailable: Of the first part that was not stored.
    """
    for part, outcome in zip(parts_of(batch), outcomes, strict=False):
        stored = part.offset - batch.offset
        if isinstance(outcome, TooLargeError) and stored:
            return Appended(stored=stored)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.refused:
            refused = {stored + place: reason for place, reason in outcome.refused.items()}
            return Appended(refused, stored=stored)
    return Appended()
