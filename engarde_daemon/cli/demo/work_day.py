"""The first half of the demonstration: a tenant writes, changes, throws away and generates."""

from typing import Any

from engarde_daemon.cli.demo import campaign
from engarde_daemon.cli.demo.callers import Callers, until
from engarde_daemon.cli.demo.telling import Narrator

_ENDED = {"completed", "failed", "cancelled", "partial"}


class WorkDay:
    """A shop for bicycles prepares its spring."""

    def __init__(self, narrator: Narrator, callers: Callers) -> None:
        self._narrator = narrator
        self._callers = callers

    async def fill(self) -> None:
        """Make campaigns, a picture and posts; change some, throw one away."""
        await self._narrator.act("Northlight Cycles, a shop, prepares its spring")
        spaces = [await self._make("/api/campaign-spaces", space) for space in campaign.SPACES]
        poster = await self._callers.send(
            "POST", "/api/media", files={"file": ("hill.jpg", campaign.picture(), "image/jpeg")}
        )
        made = [
            await self._make("/api/content", {**post, "campaign_space_id": spaces[n % 2]["id"]})
            for n, post in enumerate(campaign.POSTS)
        ]
        await self._narrator.say(
            f"{len(spaces)} campaigns, {len(made)} pieces of content and a poster are there."
        )
        await self._edit([item["id"] for item in made], poster.json()["id"])
        quota = (await self._callers.send("GET", "/api/content/quota")).json()["usage"]
        self._narrator.show(
            f"GET /api/content/quota: {quota['total_content_items']} items, "
            f"{quota['total_storage_bytes']:,} bytes"
        )

    async def generate(self) -> None:
        """Have posts written, by the model that needs no key."""
        await self._narrator.act("Nine more posts are generated, by the template model")
        job = await self._make("/api/content/generate-batch", campaign.GENERATION)
        path = f"/api/content/generation-jobs/{job['job_id']}"

        async def ended() -> bool:
            return (await self._callers.send("GET", path)).json()["status"] in _ENDED

        await until(ended, "the end of the generation job")
        told = (await self._callers.send("GET", path)).json()
        self._narrator.show(f"GET {path}: {told['status']}, {told['items']}")
        await self._narrator.say("They are drafts now, like any other.")

    async def _edit(self, ids: list[str], media_id: str) -> None:
        first, second, *_, last = ids
        for change in (
            {"body": campaign.POSTS[0]["body"].replace("39 €", "35 €"), "media": [media_id]},
            {"status": "published"},
        ):
            await self._callers.send("PATCH", f"/api/content/{first}", json=change)
        await self._callers.send("PATCH", f"/api/content/{second}", json={"status": "published"})
        await self._callers.send("DELETE", f"/api/content/{last}")
        await self._narrator.say(
            "The first got another price and its poster, two are published, one is in the trash."
        )
        versions = (await self._callers.send("GET", f"/api/content/{first}/versions")).json()
        for version in reversed(versions["data"]):
            self._narrator.show(f"version {version['version']}: {version['changes_summary']}")

    async def _make(self, path: str, wish: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = (await self._callers.send("POST", path, json=wish)).json()
        return made
