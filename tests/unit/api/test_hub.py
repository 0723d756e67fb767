"""Listeners share what is told, and who stops reading is left behind alone."""

from collections.abc import Mapping
from datetime import UTC, datetime

import anyio
import msgspec
import pytest

from engarde_daemon.api.events.hub import Hub, Interest, Listener
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.events import Event
from engarde_daemon.ports.events import Bounds, Placed

ALL = Interest()
WINDOW_BYTES = 2_000


class NewTenants:
    """The `EventReader` port for tenants of whom nothing was written yet."""

    async def after(self, places: Mapping[str, int], *, most: int) -> dict[str, list[Placed]]:
        """Nothing."""
        del places, most
        return {}

    async def bounds(self, tenant_id: str) -> Bounds:
        """Nothing can be read."""
        del tenant_id
        await anyio.lowlevel.checkpoint()
        return Bounds(1, 0)


class Cut:
    """What a listener's connection hears of it."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        """End it."""
        self.times += 1


def hub(**settings: int) -> Hub:
    """A hub nobody listens to yet."""
    return Hub(NewTenants(), **{"listeners_max": 10, "window_bytes": WINDOW_BYTES, **settings})


def placed(position: int, *, brand_id: str | None = None, type_: str = "content.created") -> Placed:
    """An event of about 250 bytes."""
    event = Event(
        id=str(position),
        tenant_id="t",
        type=type_,
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        brand_id=brand_id,
        actor_id=None,
        data=msgspec.Raw(b'"' + b"x" * 80 + b'"'),
    )
    return Placed(position, event)


def positions(chunk: bytes) -> list[int]:
    """The positions of the events in a chunk."""
    return [int(line[4:]) for line in chunk.split(b"\n") if line.startswith(b"id: ")]


async def join(hub: Hub, tenant_id: str = "t", interest: Interest = ALL) -> tuple[Listener, Cut]:
    """One more listener."""
    cut = Cut()
    return await hub.join(tenant_id, interest, cut=cut), cut


async def test_all_listeners_of_a_tenant_are_told():
    """And none of another tenant."""
    told = hub()
    (one, _), (two, _), (other, _) = [await join(told, tenant) for tenant in ("t", "t", "o")]

    await told.tell("t", [placed(1), placed(2)])

    assert positions(one.take()) == positions(two.take()) == [1, 2]
    assert other.take() == b""
    assert told.places() == {"t": 2, "o": 0}


async def test_a_listener_takes_each_event_once():
    """In order, however often it looks."""
    told = hub()
    listener, _ = await join(told)

    await told.tell("t", [placed(1)])
    first = listener.take()
    await told.tell("t", [placed(1), placed(2)])
    await told.tell("t", [placed(3)])

    assert positions(first) == [1]
    assert positions(listener.take()) == [2, 3]
    assert listener.take() == b""


async def test_a_listener_waits_until_something_is_told():
    """And no longer."""
    told = hub()
    listener, _ = await join(told)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(told.tell, "t", [placed(1)])
        with anyio.fail_after(5):
            assert await listener.wait()

    assert positions(listener.take()) == [1]


async def test_who_falls_out_of_the_window_is_cut_off():
    """And nobody else; the memory of a channel stays bounded."""
    told = hub()
    quick, quick_cut = await join(told)
    _, slow_cut = await join(told)

    for position in range(1, 101):
        await told.tell("t", [placed(position)])
        assert positions(quick.take()) == [position]

    assert (quick_cut.times, slow_cut.times) == (0, 1)
    assert told.cut_off == 1


async def test_who_reads_just_in_time_is_not_cut_off():
    """As long as the next event they need is in the window."""
    told = hub(window_bytes=10 * len(placed(1).event.document()))
    listener, cut = await join(told)

    for position in range(1, 61, 3):
        await told.tell("t", [placed(p) for p in range(position, position + 3)])
        if position % 2 == 0:
            assert positions(listener.take())[-1] == position + 2

    assert cut.times == 0


async def test_an_event_larger_than_the_window_is_told():
    """The newest one always is."""
    told = hub(window_bytes=10)
    listener, cut = await join(told)

    await told.tell("t", [placed(1)])

    assert positions(listener.take()) == [1]
    assert cut.times == 0


@pytest.mark.parametrize(
    ("interest", "wanted"),
    [
        (Interest(), [1, 2, 3]),
        (Interest(types=["content.*"]), [1, 2]),
        (Interest(brand_ids=["a"]), [1, 3]),
        (Interest(types=["content.*"], brand_ids=["b"]), [2]),
        (Interest(brand_ids=[]), [3]),
    ],
)
async def test_a_listener_is_told_what_it_wants_and_may_see(interest: Interest, wanted: list[int]):
    """What concerns the whole tenant, concerns every brand."""
    told = hub()
    listener, _ = await join(told, interest=interest)

    await told.tell(
        "t",
        [placed(1, brand_id="a"), placed(2, brand_id="b"), placed(3, type_="quota.warning")],
    )

    assert positions(listener.take()) == wanted


async def test_a_channel_goes_with_its_last_listener():
    """So that nobody reads the log for nobody."""
    told = hub()
    (one, _), (two, _) = [await join(told) for _ in range(2)]

    told.leave("t", one)
    assert told.places() == {"t": 0}
    told.leave("t", two)

    assert told.places() == {}


async def test_two_who_come_at_once_share_a_channel():
    """Though neither was there when the other asked for the place to begin at."""
    told = hub()
    listeners: list[Listener] = []

    async def come() -> None:
        listeners.append((await join(told))[0])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(come)
        tasks.start_soon(come)
    await told.tell("t", [placed(1)])

    assert [positions(listener.take()) for listener in listeners] == [[1], [1]]


async def test_there_are_only_so_many_places():
    """One more is asked to come later; a place that is given back is taken again."""
    told = hub(listeners_max=2)
    told.enter()
    told.enter()

    with pytest.raises(Unavailable):
        told.enter()
    told.exit()
    told.enter()

    assert told.listeners == 2


async def test_a_stop_ends_all_and_lets_nobody_in():
    """Until the edge is opened again."""
    told = hub()
    listener, _ = await join(told)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_close_soon, told)
        with anyio.fail_after(5):
            assert not await listener.wait()
    with pytest.raises(Unavailable):
        told.enter()

    told.open()
    told.enter()


async def _close_soon(told: Hub) -> None:
    told.close()
