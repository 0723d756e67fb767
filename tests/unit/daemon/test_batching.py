"""How much is carried at once to which store."""

import pytest

from engarde_daemon.config import Delivery
from engarde_daemon.config.kinds import BodyStoreMode
from engarde_daemon.daemon.batching import delivery_pace


def carried(mode: BodyStoreMode, **settings: int) -> tuple[int, int]:
    """How many bodies make a batch, and how many batches are under way."""
    pace = delivery_pace(Delivery(**settings), mode)
    return pace.batch_items, pace.batches_in_flight


@pytest.mark.parametrize("mode", ["embedded", "cloud"])
def test_most_stores_get_what_was_set(mode: BodyStoreMode):
    """They gain nothing by larger batches, which the lease would not outlast at a hosted one."""
    assert carried(mode, batch_items=50, batches_in_flight=4) == (50, 4)


@pytest.mark.parametrize(
    ("items", "batches", "expected"),
    [
        (50, 4, (200, 3)),
        (20, 4, (80, 3)),
        (50, 1, (50, 1)),
        (500, 4, (500, 3)),
    ],
)
def test_a_local_server_gets_one_batch_of_what_would_be_several(
    items: int, batches: int, expected: tuple[int, int]
):
    """In which all its requests are under way at once, and two more batches beside it."""
    assert carried("local", batch_items=items, batches_in_flight=batches) == expected
