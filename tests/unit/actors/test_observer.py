"""What the observer reads and compares."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from actors.observer.hearsay import TOLD_MOST, Hearsay
from actors.observer.rates import Counts, RateMeter
from engarde_daemon.ports.overview import Happening, Known

NOW = datetime(2027, 5, 1, 12, tzinfo=UTC)


def happening(tenant_id: str, position: int, at: datetime, type_: str = "content.created"):
    """An event of a tenant."""
    return Happening(
        tenant_id=tenant_id,
        position=position,
        type=type_,
        subject_id=f"{tenant_id}{position}",
        version=1,
        occurred_at=at,
        data=None,
    )


class Log:
    """A log of all tenants in memory, which notes from when on it was read."""

    def __init__(self) -> None:
        self.written: list[Happening] = []
        self.asked: list[datetime] = []

    async def look(self, daemon_id: str) -> Known:
        """Nobody here asks for more than events."""
        raise NotImplementedError(daemon_id)

    async def happenings(self, since: datetime, *, most: int) -> Sequence[Happening]:
        """See `OverviewReader.happenings`."""
        self.asked.append(since)
        found = [one for one in self.written if one.occurred_at > since]
        return sorted(found, key=lambda one: one.occurred_at)[-most:]


class Ear:
    """A hearsay whose clock is moved by hand."""

    def __init__(self) -> None:
        self.log, self.passed_s = Log(), 0.0
        self.hearsay = Hearsay(self.log, lambda: self.passed_s)

    async def listen(self, *, after_s: float = 0.0) -> tuple[list[str | None], bool]:
        """The subjects of what is told, and whether that is all."""
        self.passed_s += after_s
        told, is_all = await self.hearsay.listen(NOW + timedelta(seconds=self.passed_s))
        return [one.subject for one in told], is_all


async def test_each_event_is_told_once():
    """Though the last moments are read again each time."""
    ear = Ear()
    ear.log.written = [happening("a", 1, NOW), happening("b", 7, NOW)]
    assert await ear.listen() == (["a1", "b7"], True)

    ear.log.written.append(happening("a", 2, NOW))
    assert await ear.listen(after_s=1.0) == (["a2"], True)


async def test_an_event_that_comes_to_light_late_is_told():
    """Its write took a while to commit."""
    ear = Ear()
    assert await ear.listen() == ([], True)
    ear.log.written = [happening("a", 1, NOW - timedelta(seconds=2))]

    assert await ear.listen(after_s=0.5) == (["a1"], True)


async def test_what_stores_tell_of_themselves_is_left_out():
    """Operators of several tenants would read it several times."""
    ear = Ear()
    ear.log.written = [happening("a", 1, NOW, "recovery.state_changed")]

    assert await ear.listen() == ([], True)


async def test_of_too_many_the_newest_are_told():
    """And that there were more."""
    ear = Ear()
    assert await ear.listen() == ([], True)
    at = [NOW + timedelta(milliseconds=number) for number in range(TOLD_MOST + 1)]
    ear.log.written = [happening("a", number, at[number]) for number in range(TOLD_MOST + 1)]
    told, is_all = await ear.listen(after_s=1.0)

    assert (len(told), told[0], is_all) == (TOLD_MOST, "a1", False)


async def test_after_a_long_pause_only_the_last_minute_is_read():
    """However long nobody watched."""
    ear = Ear()
    await ear.listen()
    await ear.listen(after_s=3600.0)

    assert ear.log.asked[1] == NOW + timedelta(seconds=3600 - 60 - 3)


def counts(reads: int, writes: int = 0, errors: int = 0) -> Counts:
    """A reading."""
    return Counts(reads=reads, writes=writes, errors=errors)


def test_rates_are_those_between_two_readings():
    """Before the second there are none."""
    meter = RateMeter()
    meter.read(counts(10), 5.0)
    assert meter.rates.reads_per_s == 0.0

    meter.read(counts(30, 4, 1), 7.0)
    rates = meter.rates
    assert (rates.reads_per_s, rates.writes_per_s, rates.errors_per_s) == (10.0, 2.0, 0.5)


def test_a_reading_too_soon_is_left_out():
    """Its rates would jump."""
    meter = RateMeter()
    meter.read(counts(10), 5.0)
    meter.read(counts(11), 5.01)
    meter.read(counts(12), 6.0)

    assert meter.rates.reads_per_s == 2.0
