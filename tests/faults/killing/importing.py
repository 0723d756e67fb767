"""Assets are imported, and the daemon dies between an asset's content and the import's note of it."""

import json
from collections import Counter

from tests.faults.killing.site import Plot, Site
from tests.support.importing import ended, items_of, new_space, uploaded
from tests.support.oracle import Oracle, listed

ASSETS = 6


async def take_assets_in(site: Site, plot: Plot) -> None:
    """Each asset is one content, and a repeated import changes nothing."""
    daemon = site.daemon
    await daemon.receive_guest()
    export = "".join(_row(number, site.files_url) for number in range(ASSETS))
    async with daemon.client() as http:
        space_id = await new_space(http)
        daemon.will_die_at(plot.point, at_pass=plot.chance.randint(1, ASSETS))
        job_id = (await uploaded(http, space_id, export))["import_job_id"]
        await daemon.dies()
        await daemon.start()
    async with daemon.client() as http:
        job = await ended(http, job_id, plot.patience_s)
        items = await items_of(http, job_id)
        titles = await listed(http)
        repeated = await ended(http, (await uploaded(http, space_id, export))["import_job_id"])

    assert (job["status"], job["imported"], job["failed"]) == ("completed", ASSETS, 0)
    assert Counter(item["content_id"] for item in items) == dict.fromkeys(titles, 1)
    assert repeated["unchanged"] == ASSETS
    await Oracle(daemon, patience_s=plot.patience_s).is_sound()


def _row(number: int, url: str) -> str:
    """An ad with a picture that another ad shows as well."""
    picture = f"{url}/{number // 2}.png"
    said = {"external_id": f"ad-{number}", "text": f"Text of {number}", "media_urls": [picture]}
    return json.dumps(said) + "\n"
