"""The second half of the demonstration: ZeroDB goes away, and comes back."""

import json
from collections import Counter
from typing import Any

from engarde_daemon.cli.demo import campaign
from engarde_daemon.cli.demo.callers import Callers, until
from engarde_daemon.cli.demo.stage import Stage
from engarde_daemon.cli.demo.telling import Narrator
from engarde_daemon.domain.errors import Rejected

RECOVERY = "/api/admin/recovery"
_ENDED = {"completed", "failed", "cancelled"}


class Outage:
    """From the last moment in which all is well to the proof that it is again."""

    def __init__(self, narrator: Narrator, stage: Stage, callers: Callers) -> None:
        self._narrator = narrator
        self._stage = stage
        self._callers = callers

    async def begin(self) -> None:
        """Stop ZeroDB as soon as everything has arrived there."""
        await self._narrator.act("ZeroDB goes away")
        await until(self._all_arrived, "the delivery of every body")
        await self._narrator.say(
            "Every body is in ZeroDB and in the archive. Reads come from ZeroDB,"
        )
        await self._narrator.say("or from memory where a body was read a moment ago:")
        await self._show_reads()
        await self._narrator.say("You can watch from a second terminal:")
        await self._narrator.suggest(*self._commands())
        await self._stage.end_zerodb()
        await self._narrator.say("Now ZeroDB refuses connections, and those that are open hang.")

    async def live_with(self) -> None:
        """Write and read meanwhile."""
        made = [
            (await self._callers.send("POST", "/api/content", json=post)).json()
            for post in campaign.DURING_THE_OUTAGE
        ]
        await self._narrator.say(
            f"{len(made)} writes, each answered with 201: PostgreSQL has them, bodies included."
        )
        await self._until_state("failed_over")
        self._narrator.show(f"GET {RECOVERY}: ZeroDB is {await self._zerodb_in_words()}")
        await self._narrator.say("Reads go on, and say where they come from:")
        await self._show_reads()
        await self._narrator.say(
            "Old bodies come from the archive; new ones wait in PostgreSQL, staged for ZeroDB. Lists "
            "and search never ask it."
        )

    async def end(self) -> None:
        """Bring ZeroDB back, and wait until the daemon trusts it again."""
        await self._narrator.act("ZeroDB comes back")
        await self._stage.bring_zerodb_back()
        await self._narrator.say(
            "Nobody has to do anything. The daemon probes it, delivers what waited, reads samples, "
            "and only then trusts it again."
        )
        await self._until_state("healthy")
        self._narrator.show(f"GET {RECOVERY}: ZeroDB is {await self._zerodb_in_words()}")
        await until(self._all_arrived, "the delivery of what was staged")
        await self._show_reads()

    async def verify(self) -> None:
        """Compare everything with everything.

        Raises:
            Rejected: There is a difference.
        """
        await self._narrator.act("Was anything lost?")
        await self._narrator.suggest(f"engarde verify --data-dir {self._stage.data_dir}")
        job = await self._callers.order("POST", f"{RECOVERY}/verify", json={})

        async def ended() -> bool:
            return (await self._job(job["id"]))["state"] in _ENDED

        await until(ended, "the end of the comparison")
        report = (await self._job(job["id"]))["report"]
        if report["differences_total"] or report["waiting"]:
            raise Rejected(f"Something is missing: {json.dumps(report)[:1000]}")
        for store, count in report["counts"].items():
            self._narrator.show(f"right in {store}: {count}")
        await self._narrator.say(
            f"{report['versions']} versions, compared by hash in three stores: no difference."
        )

    async def _reads(self) -> Counter[str]:
        """Read everything, and count from where it came."""
        page = await self._callers.send("GET", "/api/content", params={"pageSize": 100})
        came: Counter[str] = Counter()
        for item in page.json()["data"]:
            read = await self._callers.send("GET", f"/api/content/{item['id']}")
            came[read.headers["X-Served-From"]] += 1
        return came

    async def _show_reads(self) -> None:
        came = sorted((await self._reads()).items())
        self._narrator.show("X-Served-From: " + ", ".join(f"{name} × {n}" for name, n in came))

    async def _all_arrived(self) -> bool:
        """Whether no body has to wait in PostgreSQL any more."""
        return "staged" not in await self._reads()

    async def _until_state(self, state: str) -> None:
        async def is_so() -> bool:
            shown = await self._callers.order("GET", RECOVERY)
            return bool(shown["stores"]["zerodb"]["state"] == state)

        await until(is_so, f"the step of ZeroDB to {state}")

    async def _zerodb_in_words(self) -> str:
        told = (await self._callers.order("GET", RECOVERY))["stores"]["zerodb"]
        reason = f" ({told['reason']})" if told["reason"] else ""
        return f"{told['state']} since {told['lasts_s']:.1f} s{reason}"

    async def _job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = await self._callers.order("GET", f"{RECOVERY}/{job_id}")
        return job

    def _commands(self) -> list[str]:
        file = self._stage.data_dir / "credentials.json"
        read = f'$(python3 -c \'import json; print(json.load(open("{file}"))["operator_key"])\')'
        url = self._stage.door.base_url
        return [
            f"KEY={read}",
            f'watch -n 1 curl -s {url}{RECOVERY} -H "X-API-Key: $KEY"',
            f"watch -n 1 'curl -s {url}/metrics | grep -E \"store_state|staged_bytes\"'",
        ]
