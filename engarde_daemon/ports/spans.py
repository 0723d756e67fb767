"""For which span of time the archive is asked about items."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from engarde_daemon.ports.archive import Span

MARGIN = timedelta(days=1)
"""How far the time of a snapshot may lie from the time of its version."""


def span_around(moments: Iterable[datetime]) -> Span:
    """A span in which everything lies that happened at these moments."""
    at = sorted(moments)
    return Span(at[0] - MARGIN, at[-1] + MARGIN)
