"""The books are looked at all the time, and never for most of it."""

from actors.ledger.actor import CHECKS_SHARE, Ledger
from actors.ledger.messages import CheckBooks
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from tests.support.database import PLANS


class Afternoon:
    """A time in which each look at the books takes a minute."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.looks = 0

    def clock(self) -> float:
        """What time it is."""
        return self.now_s

    def looked(self, _: int) -> None:
        """Take the minute."""
        self.looks += 1
        self.now_s += 60.0


async def test_the_longer_a_look_takes_the_longer_is_the_rest_after_it(sessions: Sessions):
    """The looks at large books must not be all that PostgreSQL does."""
    afternoon = Afternoon()
    ledger = Ledger(
        PostgresLedgerBook(sessions.writers, PLANS),
        plans=PLANS,
        expire_s=3600.0,
        check_s=3600.0,
        clock=afternoon.clock,
        drifted=lambda _: None,
        counted=afternoon.looked,
    )
    await ledger.receive_batch([CheckBooks()])
    afternoon.now_s += 60.0 / CHECKS_SHARE - 1
    await ledger.receive_batch([CheckBooks()])
    assert afternoon.looks == 1
    afternoon.now_s += 1
    await ledger.receive_batch([CheckBooks()])
    assert afternoon.looks == 2
