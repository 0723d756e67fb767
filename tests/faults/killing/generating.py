"""A job generates, and the daemon dies between a provider's answer and its content."""

import json
from collections import Counter

from engarde_daemon.testing.models import Reaction
from engarde_daemon.testing.models.provider import Asked
from tests.faults.killing.site import Plot, Site
from tests.support.models import ended, give_key, items_of, start
from tests.support.oracle import Oracle, listed

ITEMS = 4


async def generate(site: Site, plot: Plot) -> None:
    """Each item is one content; only what nobody had written down is asked for again, and told."""
    daemon, model = site.daemon, site.model
    await daemon.receive_guest()
    model.forget()
    model.react = _answer
    async with daemon.client() as http:
        await give_key(http)
        # The shelver may store all of them at once.
        passes = 1 if plot.point == "shelver.after_write" else ITEMS
        daemon.will_die_at(plot.point, at_pass=plot.chance.randint(1, passes))
        job_id = await start(http, ITEMS)
        await daemon.dies()
        await daemon.start()
    async with daemon.client() as http:
        job = await ended(http, job_id, plot.patience_s)
        items = await items_of(http, job_id)
        titles = Counter((await listed(http)).values())

    assert (job["status"], job["progress"]) == ("completed", ITEMS)
    assert titles == {f"Item {number}": 1 for number in range(1, ITEMS + 1)}
    assert [item["calls"] for item in items] == [1] * ITEMS
    repeated = model.calls - ITEMS
    assert repeated <= (0 if plot.point == "generation.after_receipt" else 1)
    assert repeated <= sum(item["suspected_duplicate_calls"] for item in items)
    await Oracle(daemon, patience_s=plot.patience_s).is_sound()


def _answer(asked: Asked) -> Reaction:
    """A piece that tells which item it is."""
    prompt: str = asked.body["messages"][1]["content"]
    number = prompt.partition("⟦")[2].partition("⟧")[0]
    said = {"title": f"Item {number}", "body": f"Body of {number}.", "hashtags": []}
    return Reaction(text=json.dumps(said))
