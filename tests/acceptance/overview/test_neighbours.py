"""All daemons on one database are shown, those that stopped and those that died too."""

from engarde_daemon.protocol import DaemonState, DaemonView, Snapshot
from tests.support.pairs import Pair, only_pair, pair
from tests.support.watching import watch

__all__ = ["only_pair", "pair"]


def neighbour(snapshot: Snapshot) -> DaemonView | None:
    """The other daemon, once it is known."""
    return next(iter(snapshot.others), None)


async def test_a_neighbour_is_shown_with_its_actors_until_it_dies_and_then_so(pair: Pair):
    """As silent, with what follows from it; and one that comes after it in its place."""
    key = pair.one.credentials.operator_key
    async with pair.one.client(key) as http, watch(http) as shown:
        seen = neighbour(await shown.snapshot(lambda s: neighbour(s) is not None))
        assert seen is not None
        assert (seen.state, seen.pid) == (DaemonState.RUNNING, pair.other.pid)
        assert {actor.name for actor in seen.actors} >= {"ingest", "delivery", "edge"}

        async with pair.other.client() as other:
            made = await other.post("/api/content", json={"title": "Seen", "body": "by both"})
        told = await shown.event(lambda event: event.subject == made.json()["id"])
        assert told.source == "tenants"

        await pair.other.kill()
        dead = await shown.snapshot(lambda s: s.others[0].state is DaemonState.SILENT)
        (risk,) = dead.safety.risks
        assert risk.about == f"Daemon {seen.name}"
        assert "did not say that it stops" in risk.cause

        await pair.other.start()
        reborn = await shown.snapshot(lambda s: s.others[0].state is DaemonState.RUNNING)
        assert (len(reborn.others), list(reborn.safety.risks)) == (1, [])

        assert await pair.other.stop() == 0
        stopped = await shown.snapshot(lambda s: s.others[0].state is DaemonState.STOPPED)
        assert list(stopped.safety.risks) == []
