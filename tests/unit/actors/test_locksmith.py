"""How often the locksmith asks the issuer."""

import anyio
import anyio.lowlevel

from actors.locksmith.actor import Locksmith
from actors.locksmith.messages import RefreshDue, SeekKey
from engarde_daemon.core import Supervisor
from engarde_daemon.domain.errors import Unavailable
from tests.support.acting import acting, together

REFRESH_S, SEEK_S = 300.0, 10.0
FLOOD = 200


class Issuer:
    """Keys that can be fetched, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked = 0
        self.away = False
        self.published: set[str] = {"old"}
        self.held: set[str] = set()

    def holds(self, key_id: str) -> bool:
        """See `SigningKeys.holds`."""
        return key_id in self.held

    async def refresh(self) -> None:
        """See `SigningKeys.refresh`."""
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        if self.away:
            raise Unavailable("away")
        self.held = set(self.published)

    def locksmith(self) -> Locksmith:
        """Whoever asks this issuer."""
        return Locksmith(self, refresh_s=REFRESH_S, seek_s=SEEK_S, clock=lambda: self.now)


async def test_an_issuer_that_is_away_keeps_nobody_from_starting():
    """It is asked again after a moment, not before."""
    issuer = Issuer()
    issuer.away = True
    async with acting(issuer.locksmith) as locksmith:
        issuer.now += SEEK_S - 1
        await locksmith.tell(RefreshDue())
        issuer.away = False
        issuer.now += 2
        await locksmith.tell(RefreshDue())

    assert (issuer.asked, issuer.held) == (2, {"old"})


async def test_keys_are_there_before_anyone_asks():
    """And are not fetched again before their time."""
    issuer = Issuer()
    async with acting(issuer.locksmith) as locksmith:
        assert issuer.held == {"old"}
        for _ in range(5):
            await locksmith.tell(RefreshDue())
        issuer.now += REFRESH_S - 1
        await locksmith.tell(RefreshDue())
        await locksmith.ask(SeekKey("old"), timeout_s=5)
        assert issuer.asked == 1
        issuer.now += 2
        await locksmith.tell(RefreshDue())

    assert issuer.asked == 2


async def test_all_who_miss_a_new_key_share_one_question():
    """They come together, and the first one's answer is theirs."""
    issuer = Issuer()
    async with acting(issuer.locksmith) as locksmith:
        issuer.published.add("new")
        assert await together(locksmith, [SeekKey("new")] * 50) == [None] * 50

    assert (issuer.asked, issuer.held) == (2, {"old", "new"})


async def test_a_flood_of_keys_that_do_not_exist_is_one_question_an_interval():
    """However many, however long."""
    issuer = Issuer()
    async with acting(issuer.locksmith) as locksmith:
        for interval in range(1, 4):
            await together(locksmith, [SeekKey(f"no-{n}") for n in range(100)])
            assert issuer.asked == 1 + interval
            issuer.now += SEEK_S


async def test_a_flood_is_a_few_turns_of_the_locksmith():
    """Whoever comes with it, with a true token of a new key, does not wait for each of them."""
    issuer = Issuer()
    supervisor = Supervisor("test")
    locksmith = supervisor.add("locksmith", issuer.locksmith, capacity=256)
    async with anyio.create_task_group() as tasks:
        await tasks.start(supervisor.run)
        issuer.published.add("new")
        flood = [SeekKey(f"no-{n}") for n in range(FLOOD)]
        assert await together(locksmith, [*flood, SeekKey("new")]) == [None] * (FLOOD + 1)
        (report,) = supervisor.health().children
        supervisor.stop()

    assert report.turns <= 4
    assert issuer.held == {"old", "new"}


async def test_a_flood_while_the_issuer_is_away_is_one_question_an_interval():
    """Whether a reminder or a token makes the locksmith ask; then everything is as it was."""
    issuer = Issuer()
    async with acting(issuer.locksmith) as locksmith:
        issuer.away = True
        issuer.now += REFRESH_S
        for interval in range(1, 4):
            await locksmith.tell(RefreshDue())
            await together(locksmith, [SeekKey(f"no-{n}") for n in range(100)])
            await locksmith.tell(RefreshDue())
            assert issuer.asked == 1 + interval
            issuer.now += SEEK_S
        issuer.away = False
        issuer.published.add("new")
        await together(locksmith, [SeekKey("new")] * 50)

    assert (issuer.asked, issuer.held) == (5, {"old", "new"})
