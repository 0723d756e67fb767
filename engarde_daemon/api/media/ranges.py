"""Which part of a file a caller asks for (RFC 9110, section 14).

One range is served; a request for several is answered with the whole file, which it must be able to
take.
"""

import re

from engarde_daemon.domain.errors import Rejected
from engarde_daemon.ports.media import Span

_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,19})-(?P<last>[0-9]{0,19})")


class RangeNotSatisfiable(Rejected):
    """The file has no such bytes."""

    type_ = "range_not_satisfiable"
    title = "The file has no such bytes"
    status = 416
    size_bytes: int

    def __init__(self, size: int) -> None:
        super().__init__(f"The file holds {size} bytes.")
        self.size_bytes = size


def wanted_span(text: str | None, size: int) -> Span | None:
    """The span that a `Range` header asks for, or None for the whole file.

    Raises:
        RangeNotSatisfiable: It starts behind the end.
    """
    match = _RANGE.fullmatch((text or "").replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match["first"], match["last"]
    if not first:
        span = Span(max(0, size - int(last)), size)
    else:
        span = Span(int(first), min(int(last) + 1, size) if last else size)
    if last and first and int(last) < int(first):
        return None
    if span.start >= size:
        raise RangeNotSatisfiable(size)
    return span
