"""How long a server asks to be left alone.

https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

UNSAID_S = 1.0
MOST_S = 60.0


def seconds_to_wait(header: str | None, now: datetime) -> float:
    """The seconds that the header means, between 0 and 60; one second where it means nothing."""
    said = (header or "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), MOST_S)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return UNSAID_S
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MOST_S)
