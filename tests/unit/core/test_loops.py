"""The kernel on the event loops that the daemon may run on."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import anyio
import pytest

from engarde_daemon.core import ActorCrashed, AskTimedOut, Strategy, Supervisor
from tests.unit.core.stage import (
    AT_ONCE,
    SOON_S,
    Fail,
    Hold,
    Parrot,
    Say,
    report_of,
    running,
)


@pytest.mark.parametrize("use_uvloop", [False, True])
def test_a_tree_lives_on_this_loop(*, use_uvloop: bool):
    """Asks, deadlines, a crash and an orderly stop work alike."""
    diary: list[str] = []

    async def live() -> None:
        root = Supervisor("root", Strategy.REST_FOR_ONE, AT_ONCE)
        root.add("first", lambda: Parrot("first", diary), capacity=1)
        second = root.add("second", lambda: Parrot("second", diary), capacity=1, grace_s=0.0)
        async with running(root):
            with pytest.raises(ActorCrashed):
                await second.ask(Fail(), timeout_s=SOON_S)
            assert await second.ask(Say("hello"), timeout_s=SOON_S) == "hello"
            with pytest.raises(AskTimedOut):
                await second.ask(Hold(), timeout_s=0.001)
            assert report_of(root, "root/second").restarts == 1

    run = partial(anyio.run, live, backend_options={"use_uvloop": use_uvloop})
    with ThreadPoolExecutor(1) as thread:  # pytest's own loop may live in this one
        thread.submit(run).result()

    assert diary[-3:] == ["second closed", "first stopping", "first closed"]
