"""How long a server asks to be left alone."""

from datetime import UTC, datetime

import pytest

from engarde_daemon.adapters.zerodb.retry_after import seconds_to_wait

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("86400", 60),
        ("9" * 400, 60),
        ("Sat, 14 Mar 2026 09:27:03 GMT", 10),
        ("Sat, 14 Mar 2026 09:27:03 -0000", 10),
        ("Sat, 14 Mar 2026 09:26:43 GMT", 0),
        ("Sun, 15 Mar 2026 09:26:53 GMT", 60),
        (None, 1),
        ("", 1),
        ("soon", 1),
        ("-3", 1),
        ("1.5", 1),
        ("\u0663", 1),
    ],
)
def test_the_header_is_understood_or_passed_over(header: str | None, seconds: float):
    """Seconds and dates count, capped at a minute; anything else is a second."""
    assert seconds_to_wait(header, NOW) == seconds
