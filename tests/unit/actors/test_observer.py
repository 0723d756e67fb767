"""What the observer reads and compares."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from actors.observer.actor import Observer, ObserverPace
from actors.observer.hearsay import TOLD_MOST, Hearsay
from actors.observer.lookout import Surroundings
from actors.observer.messages import LookDue, TakeSnapshot
from actors.observer.rates import Counts, RateMeter
from engarde_daemon.api.admin.feed import Feed
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.overview import Happening, Identity, Known
from engarde_daemon.protocol import ActorView, Severity, Snapshot, TenantsView
from tests.unit.domain.safety.scenes import NEWS, VITALS, report

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
        self.looks, self.answers = 0, True

    async def look(self, daemon_id: str) -> Known:
        """See `OverviewReader.look`."""
        assert daemon_id == "1"
        self.looks += 1
        if not self.answers:
            raise Unavailable("PostgreSQL is away.")
        nobody = TenantsView(total=0, levels={}, fullest=())
        return Known(versions=12, others=(), jobs=(), tenants=nobody)

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


class Daemon:
    """An observer with a clock that is moved by hand, and a register that notes signs of life."""

    def __init__(self) -> None:
        self.passed_s, self.beats, self.answers = 0.0, 0, True
        self.log, self.feed = Log(), Feed("life")
        around = Surroundings(
            identity=Identity(id="1", name="h", address="a", version="1", pid=1),
            health=report,
            vitals=lambda: VITALS,
            news=lambda: NEWS,
            clock=lambda: self.passed_s,
            now=lambda: NOW + timedelta(seconds=self.passed_s),
            began_at=NOW,
            archive_name="the archive",
        )
        self.observer = Observer(
            around,
            register=self,
            reader=self.log,
            audience=self.feed,
            counts=lambda: counts(0),
            pace=ObserverPace(beat_s=2.0),
        )

    async def beat(self, identity: Identity, actors: Sequence[ActorView]) -> None:
        """See `DaemonRegister.beat`."""
        assert (identity.id, actors[0].path) == ("1", "root")
        self.beats += 1
        if not self.answers:
            raise Unavailable("PostgreSQL is away.")

    async def stop(self, daemon_id: str) -> None:
        """See `DaemonRegister.stop`."""
        raise NotImplementedError(daemon_id)

    async def pass_seconds(self, seconds: int) -> None:
        """Let the reminders of so many seconds come."""
        for _ in range(seconds):
            await self.observer.receive(LookDue())
            self.passed_s += 1.0


async def test_while_nobody_watches_nothing_is_asked():
    """But every two seconds the daemon says that it lives."""
    daemon = Daemon()
    await daemon.pass_seconds(10)

    assert (daemon.beats, daemon.log.asked, daemon.log.looks) == (5, [], 0)


async def test_those_who_watch_share_one_look():
    """However many they are."""
    daemon = Daemon()
    for _ in range(7):
        daemon.feed.enter()
    await daemon.pass_seconds(3)

    assert (daemon.log.looks, len(daemon.log.asked)) == (3, 3)


async def test_a_snapshot_that_is_fresh_is_given_out_again():
    """Many who ask at once cost no more than one."""
    daemon = Daemon()
    first = await daemon.observer.receive(TakeSnapshot())
    again = await daemon.observer.receive(TakeSnapshot())
    daemon.passed_s += 1.0
    later = await daemon.observer.receive(TakeSnapshot())

    assert first is again
    assert later is not first
    assert daemon.log.looks == 2


async def test_while_postgres_is_away_what_was_known_is_shown_as_of_then():
    """And that it is away is said before the health actor says so."""
    daemon = Daemon()
    await daemon.observer.receive(TakeSnapshot())
    daemon.log.answers = daemon.answers = False
    await daemon.pass_seconds(3)
    snapshot = await daemon.observer.receive(TakeSnapshot())

    assert isinstance(snapshot, Snapshot)
    assert (snapshot.known_at, snapshot.safety.versions) == (NOW, 12)
    assert snapshot.stores[0].cause == "PostgreSQL is away."
    assert snapshot.safety.severity is Severity.FAULT
