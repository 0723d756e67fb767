"""The guard before a store: what passes, and what a failure costs."""

import anyio
import pytest

from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.guard import Guard, GuardedBodies, GuardedReader
from engarde_daemon.domain.breaker import Breaker, BreakerRules, BreakerState
from engarde_daemon.domain.content import BodyName
from engarde_daemon.domain.errors import Denied, Unavailable
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.testing.bodies import MemoryBodies
from engarde_daemon.testing.readable_archive import ReadableArchive
from tests.unit.adapters.test_bodies import Desk, deliver, item

RULES = BreakerRules(failures_in_a_row=2, jitter=0.0)


class Site:
    """A body store and an archive behind guards, and the bodies that are read from them."""

    def __init__(self, *, patience_s: float = 10.0) -> None:
        self.now = 0.0
        self.changes: list[BreakerState] = []
        self.store, self.archive = MemoryBodies(), ReadableArchive()
        self.guard = self._guard("ZeroDB")
        self.zerodb = GuardedBodies(self.store, self.guard, patience_s=patience_s)
        self.prefers_archive = False
        self.bodies = LayeredBodies(
            BodyCache(0),
            Desk(),
            self.zerodb,
            archive=GuardedReader(self.archive, self._guard("The archive")),
            prefers_archive=lambda: self.prefers_archive,
        )

    def _guard(self, name: str) -> Guard:
        breaker = Breaker(RULES, clock=lambda: self.now, chance=lambda: 0.0)
        return Guard(name, breaker, changed=lambda: self.changes.append(breaker.state))

    def state(self) -> BreakerState:
        """How ZeroDB is treated."""
        return self.guard.breaker.state

    async def fail(self) -> None:
        """Let ZeroDB fail until it is left alone."""
        self.store.fail_next(RULES.failures_in_a_row)
        for _ in range(RULES.failures_in_a_row):
            with pytest.raises(Unavailable, match="told to fail"):
                await self.zerodb.get_many([])

    async def look(self) -> bool:
        """Probe ZeroDB."""
        return await self.guard.probe(lambda: self.store.get_many([]), timeout_s=1.0)


@pytest.fixture
def site() -> Site:
    """Everything is well."""
    return Site()


class TestFailures:
    """What a store that does not answer costs."""

    async def test_a_store_that_failed_too_often_is_not_asked(self, site: Site):
        """The caller is told at once, and when to come again."""
        await site.fail()

        with pytest.raises(Unavailable, match="left alone") as refusal:
            await site.zerodb.get_many([])
        assert refusal.value.after_s == RULES.open_s
        assert site.changes == [BreakerState.OPEN]

    async def test_a_store_that_hangs_has_failed(self):
        """A reader has only so much patience."""
        site = Site(patience_s=0.01)
        for _ in range(RULES.failures_in_a_row):
            site.store.hold_next()
            with pytest.raises(Unavailable, match="in time"):
                await site.zerodb.get_many([])

        assert site.state() is BreakerState.OPEN

    async def test_a_caller_that_went_away_says_nothing_of_the_store(self, site: Site):
        """Nor does one whose credentials are refused."""
        for _ in range(RULES.failures_in_a_row):
            gate = site.store.hold_next()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(site.zerodb.get_many, [])
                await gate.reached.wait()
                tasks.cancel_scope.cancel()
            with pytest.raises(Denied):
                async with site.guard.passing():
                    raise Denied("refused")

        assert site.state() is BreakerState.CLOSED

    async def test_an_abandoned_walk_says_nothing_of_the_store(self, site: Site):
        """Somebody had seen enough."""
        await deliver(site.store, item())
        async for _ in site.zerodb.scan():
            break

        assert site.state() is BreakerState.CLOSED


class TestProbes:
    """Only probes bring a store back."""

    async def test_probes_find_out_that_it_is_back(self, site: Site):
        """Several in a row, and then everybody may ask."""
        await site.fail()
        site.now += RULES.open_s
        for _ in range(RULES.successes_to_close):
            assert await site.look()

        assert await site.zerodb.get_many([]) == {}

    async def test_a_probe_that_fails_prolongs_the_wait(self, site: Site):
        """And nobody else was made to wait."""
        await site.fail()
        site.now += RULES.open_s
        site.store.fail_next(1)

        assert not await site.look()
        assert site.guard.breaker.retry_after_s == 2 * RULES.open_s

    async def test_while_it_is_open_nothing_is_probed(self, site: Site):
        """Not even by those who look."""
        await site.fail()
        site.store.fail_next(1)

        assert await site.look()
        site.now += RULES.open_s
        assert not await site.look(), "the failure still waits for the first who asks"


class TestReading:
    """The archive stands in, and says so."""

    async def test_what_zerodb_cannot_give_comes_from_the_archive(self, site: Site):
        """Whether it fails, is left alone, or has lost the row."""
        site.archive.keep(item(), "A body")

        assert await site.bodies.of(item()) == ("A body", "archive")
        site.store.fail_next(2)
        assert await site.bodies.of(item()) == ("A body", "archive")
        assert await site.bodies.of(item()) == ("A body", "archive")
        assert site.state() is BreakerState.OPEN
        assert await site.bodies.of(item()) == ("A body", "archive")

    async def test_a_body_of_an_earlier_version_is_found_too(self, site: Site):
        """A version that kept its body may not be archived yet."""
        site.archive.keep(item(), "A body")

        assert await site.bodies.find(item().tenant_id, [item(2, body_version=1)]) == {
            item().body_name: "A body"
        }

    async def test_a_page_may_come_from_both(self, site: Site):
        """Each body from where it is."""
        await deliver(site.store, item(1, body="one"), "one")
        site.archive.keep(item(2, body="two"), "two")
        wanted: list[BodyName] = [item(1).body_name, item(2).body_name]

        found = await site.bodies.find(item().tenant_id, [item(1, body="one"), item(2, body="two")])

        assert found == dict(zip(wanted, ["one", "two"], strict=True))

    async def test_after_a_failover_the_archive_is_asked_first(self, site: Site):
        """And ZeroDB only for what the archive lacks."""
        await deliver(site.store, item())
        site.prefers_archive = True

        assert await site.bodies.of(item()) == ("A body", "zerodb")
        site.archive.keep(item(), "A body")
        assert await site.bodies.of(item()) == ("A body", "archive")

    async def test_a_damaged_snapshot_is_not_handed_out(self, site: Site):
        """Better no answer than a wrong one."""
        site.archive.keep(item(), "Another body")

        with pytest.raises(Unavailable, match="1 of 1 items"):
            await site.bodies.of(item())

    async def test_if_nobody_answers_it_is_an_outage(self, site: Site):
        """The reader learns of the place that should have had it."""
        site.archive.is_down = True
        site.store.fail_next(1)

        with pytest.raises(Unavailable, match="body store in memory"):
            await site.bodies.of(item())

    async def test_a_failing_place_is_no_matter_if_another_has_all(self, site: Site):
        """Nobody hears of it."""
        await deliver(site.store, item())
        site.archive.is_down = True
        site.prefers_archive = True

        assert await site.bodies.of(item()) == ("A body", "zerodb")


async def test_every_call_passes_the_guard(site: Site):
    """None of them reaches a store that is left alone."""
    await site.fail()
    key = RecordKey("t", "c", 1, "")
    calls = [
        site.zerodb.prepare(),
        site.zerodb.put_many([]),
        site.zerodb.put_versions([]),
        site.zerodb.get_versions([key]),
        site.zerodb.delete_many("t", ["c"]),
        anext(site.zerodb.scan()),
    ]
    for call in calls:
        with pytest.raises(Unavailable, match="left alone"):
            await call
