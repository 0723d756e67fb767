"""The auditor writes everything down, once, and bounds what waits while it cannot."""

from collections.abc import Sequence
from datetime import UTC, datetime

import anyio
import anyio.lowlevel
import pytest

from actors.auditor import actor as auditing
from actors.auditor.actor import Auditor
from actors.auditor.messages import Audited, ForgetDue, WriteDue
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.register import AuditEntry
from tests.support.acting import acting


def entry(number: int) -> AuditEntry:
    """A request that was answered."""
    return AuditEntry(
        id=str(number),
        tenant_id="tenant",
        at=datetime.now(UTC),
        principal_id="key",
        user_id="user",
        role="editor",
        operation="createContent",
        subject_id=None,
        status=201,
        request_id="request",
        address="127.0.0.1",
    )


class Paper:
    """An audit trail in memory, which may be away."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.batches: list[int] = []
        self.away = False
        self.tried = 0
        self.forgets: list[int] = []
        self.touched = anyio.Event()

    async def append(self, entries: Sequence[AuditEntry]) -> None:
        """See `AuditTrail.append`."""
        self.tried += 1
        self._touch()
        self.batches.append(len(entries))
        self.written += [one.id for one in entries]

    async def forget(self, *, older_than_days: int, most: int) -> int:
        """See `AuditTrail.forget`."""
        del most
        self._touch()
        self.forgets.append(older_than_days)
        return 0

    def _touch(self) -> None:
        self.touched.set()
        if self.away:
            raise Unavailable("away")


class Time:
    """A clock that stands still unless it is moved."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No reminders but those a test sends."""
    monkeypatch.setattr(auditing, "WRITE_EVERY_S", 3600.0)
    monkeypatch.setattr(auditing, "FORGET_EVERY_S", 3600.0)


async def test_what_cannot_be_written_is_written_later(quiet: None):
    """In the order it came, each once, when PostgreSQL is back."""
    paper = Paper()
    paper.away = True
    async with acting(lambda: Auditor(paper, keep_days=1, clock=Time())) as auditor:
        for number in range(3):
            await auditor.tell(Audited(entry(number)))
        await auditor.tell(WriteDue())
        await paper.touched.wait()
        paper.away = False
        await auditor.tell(Audited(entry(3)))

    assert paper.written == ["0", "1", "2", "3"]


async def test_a_polite_stop_writes_what_is_left(quiet: None):
    """Nobody reminds it then."""
    paper = Paper()
    async with acting(lambda: Auditor(paper, keep_days=1, clock=Time())) as auditor:
        await auditor.tell(Audited(entry(0)))

    assert paper.written == ["0"]


async def test_a_full_batch_is_written_without_a_reminder(
    quiet: None, monkeypatch: pytest.MonkeyPatch
):
    """Under load the mailbox is never empty, and reminders are left out."""
    monkeypatch.setattr(auditing, "BATCH_ENTRIES", 10)
    paper = Paper()
    async with acting(lambda: Auditor(paper, keep_days=1, clock=Time())) as auditor:
        for number in range(25):
            await auditor.tell(Audited(entry(number)))
        await paper.touched.wait()

    assert paper.written == [str(number) for number in range(25)]
    assert max(paper.batches) == 10


async def test_while_it_cannot_write_it_does_not_try_with_each_entry(
    quiet: None, monkeypatch: pytest.MonkeyPatch
):
    """A store that is away is left alone for a moment; the mailbox goes on being emptied."""
    monkeypatch.setattr(auditing, "BATCH_ENTRIES", 2)
    paper, time = Paper(), Time()
    paper.away = True
    async with acting(lambda: Auditor(paper, keep_days=1, clock=time)) as auditor:
        time.now = 1.0
        for number in range(100):
            await auditor.tell(Audited(entry(number)))
        while auditor.depth:
            await anyio.lowlevel.checkpoint()
        assert paper.tried == 1
        paper.away = False

    assert len(paper.written) == 100


async def test_what_waits_is_bounded(quiet: None, monkeypatch: pytest.MonkeyPatch):
    """The oldest are kept: a flood must not wash away how it began."""
    monkeypatch.setattr(auditing, "KEPT_MAX", 5)
    paper = Paper()
    async with acting(lambda: Auditor(paper, keep_days=1, clock=Time())) as auditor:
        for number in range(8):
            await auditor.tell(Audited(entry(number)))

    assert paper.written == ["0", "1", "2", "3", "4"]


async def test_old_entries_are_forgotten_when_it_is_time(quiet: None):
    """And a store that is away makes no difference to the actor."""
    paper = Paper()
    async with acting(lambda: Auditor(paper, keep_days=30, clock=Time())) as auditor:
        await auditor.tell(ForgetDue())
        await paper.touched.wait()
        paper.away = True
        await auditor.tell(ForgetDue())

    assert set(paper.forgets) == {30}
