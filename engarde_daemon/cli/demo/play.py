"""The play: a tenant at work, an outage, its end, and the proof that nothing was lost.

Owns its honesty: whatever is told was just answered by the daemon over its API, and whatever does
not happen in time ends the play with an error.
"""

from pathlib import Path

from engarde_daemon.cli.demo.callers import Callers, opened
from engarde_daemon.cli.demo.outage import Outage
from engarde_daemon.cli.demo.stage import Stage, set_up
from engarde_daemon.cli.demo.telling import Narrator
from engarde_daemon.cli.demo.work_day import WorkDay
from engarde_daemon.cli.performing import perform

PACE_S = 2.5


def play(place: Path, port: int, *, fast: bool, leave: bool) -> None:
    """Play it, and go on serving until Ctrl-C unless told to leave.

    Raises:
        CannotStartError: The place is in use, or the daemon does not do what it should.
        Rejected: A request was refused, or something was lost.
        KeyboardInterrupt: Somebody ended it before its end.
    """
    show = _Show(place.absolute(), port, fast=fast, leave=leave)
    try:
        perform(show.run)
    except KeyboardInterrupt:
        if not show.played:
            raise


class _Show:
    def __init__(self, place: Path, port: int, *, fast: bool, leave: bool) -> None:
        self.played = False
        self._place = place
        self._port = port
        self._fast = fast
        self._leave = leave
        self._narrator = Narrator(pause_s=0.0 if fast else PACE_S)

    async def run(self) -> None:
        say = self._narrator.say
        await self._narrator.act("A daemon starts, with PostgreSQL and an archive of its own")
        async with set_up(self._place, self._port, fast=self._fast) as stage:
            await say(f"It listens on {stage.door.base_url}; its data lies in {self._place}.")
            await say("Its ZeroDB is the strict stand-in of `engarde_daemon.testing`, beside it.")
            async with opened(stage) as callers:
                await _acts(self._narrator, stage, callers)
            self.played = True
            if not self._leave:
                await say("The daemon goes on. Ctrl-C stops it.")
                await stage.daemon.wait()


async def _acts(narrator: Narrator, stage: Stage, callers: Callers) -> None:
    day = WorkDay(narrator, callers)
    await day.fill()
    await day.generate()
    outage = Outage(narrator, stage, callers)
    await outage.begin()
    await outage.live_with()
    await outage.end()
    await outage.verify()
