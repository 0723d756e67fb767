"""A bulk create is whole or not there, and an import ends as if nothing had happened to it."""

import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio.abc import Process

from tests.faults.conftest import LONG, SETTINGS
from tests.support.oracle import Oracle, eventually, listed, superuser
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory
from tests.support.running import ENGARDE, Daemon, cleared_away_after, environment

KILLS = 12 if LONG else 2
CLIENTS = 6
BULK = 60
ITEMS = 400
LOOKS_MAX = 60_000
_SIZES = """
    select split_part(title, ' ', 1), count(*) as size from content_items
    where tenant_id = $1 group by 1
"""
BODY = "Summer, as it never was before. " * 500


@pytest.fixture
async def second() -> AsyncIterator[Daemon]:
    """Another daemon, with a tenant of its own."""
    with enterable_directory() as directory:
        async with cleared_away_after(Daemon(directory / "data", environ=SETTINGS)) as daemon:
            await daemon.start()
            yield daemon


def bulk_of(name: str) -> dict[str, Any]:
    """A bulk create whose items are known by their titles."""
    return {"items": [{"title": f"{name} {n}", "body": f"{name} {n}"} for n in range(BULK)]}


async def send_until_answered(
    daemon: Daemon, http: httpx.AsyncClient, name: str, statuses: Counter[str]
) -> None:
    """Send one bulk create under one key, as often as it takes."""
    while True:
        try:
            answer = await http.post(
                "/api/content/bulk", json=bulk_of(name), headers={"Idempotency-Key": name}
            )
        except httpx.TransportError as error:
            statuses[type(error).__name__] += 1
            await daemon.serving.wait()
            continue
        statuses[str(answer.status_code)] += 1
        if answer.status_code != 503:
            assert answer.status_code == 201, answer.text
            return


@pytest.mark.timeout(600 if LONG else 300)
async def test_killed_in_the_middle_a_bulk_is_whole_or_not_there(daemon: Daemon, told_seed: str):
    """Each is acknowledged in the end, and each of its items is there exactly once."""
    chance = random.Random(told_seed)
    statuses: Counter[str] = Counter()
    names: list[str] = []
    stopped = anyio.Event()

    async def work(number: int, http: httpx.AsyncClient) -> None:
        while not stopped.is_set():
            name = f"{told_seed}-c{number}-b{len(names)}"
            names.append(name)
            await send_until_answered(daemon, http, name, statuses)

    async with daemon.client() as http, anyio.create_task_group() as crowd:
        for number in range(CLIENTS):
            crowd.start_soon(work, number, http)
        for _ in range(KILLS):
            wanted = statuses["201"] + chance.randint(1, 2 * CLIENTS)

            async def answered(wanted: int = wanted) -> bool:
                return statuses["201"] >= wanted

            await eventually(answered)
            await daemon.kill()
            await daemon.start()
            async with superuser(daemon) as sql:
                sizes = {
                    row["size"] for row in await sql.fetch(_SIZES, daemon.credentials.tenant_id)
                }
            assert sizes <= {BULK}, "a bulk was made in part"
        stopped.set()

    async with daemon.client() as http:
        found = Counter((await listed(http)).values())
    assert found == {f"{n} {i}": 1 for n in names for i in range(BULK)}
    await Oracle(daemon).books_are_right()
    print(f"{KILLS} kills, {len(names)} bulks: {dict(statuses)}")  # noqa: T201 - a figure to look at


class TestCommands:
    """`engarde export` and `engarde import` outlive the daemon they talk to."""

    async def command(self, daemon: Daemon, *arguments: str) -> Process:
        """Begin a command on a daemon's data directory."""
        return await anyio.open_process(
            [ENGARDE, *arguments, "--data-dir", str(daemon.data_dir), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment({}),
            cwd=daemon.data_dir.parent,
        )

    async def answer_of(self, process: Process) -> Any:
        """What a command printed, once it ended well."""
        assert process.stdout is not None
        assert process.stderr is not None
        with anyio.fail_after(PATIENCE_S):
            said = b"".join([chunk async for chunk in process.stdout])
            complaints = b"".join([chunk async for chunk in process.stderr])
            assert await process.wait() == 0, complaints
        return json.loads(said)

    async def fill(self, daemon: Daemon) -> None:
        """Make items with bodies of 16 KB."""
        async with daemon.client() as http:
            for start in range(0, ITEMS, 100):
                items = [
                    {"title": f"item {n}", "body": f"{n} {BODY}", "tags": ["moved"]}
                    for n in range(start, start + 100)
                ]
                answer = await http.post("/api/content/bulk", json={"items": items})
                assert answer.status_code == 201, answer.text

    def hashes(self, file: Path) -> dict[str, str]:
        """The hash of each body in an export, by title."""
        *lines, _ = file.read_bytes().splitlines()
        items = [json.loads(line) for line in lines]
        assert len({item["title"] for item in items}) == len(items)
        return {item["title"]: item["sha256"] for item in items}

    async def test_killed_in_the_middle_both_still_end_well(
        self, lone_daemon: Daemon, second: Daemon, place: Path
    ):
        """The file is whole; what it held is in the second daemon once, with equal hashes."""
        await self.fill(lone_daemon)
        file, part, arrived = (place / name for name in ("all", "all.part", "arrived"))

        export = await self.command(lone_daemon, "export", str(file))

        await anyio.to_thread.run_sync(wait_until_begun, part, file)
        await lone_daemon.kill()
        await lone_daemon.start()
        exported = await self.answer_of(export)

        assert exported["items"] == ITEMS
        assert not part.exists()

        import_ = await self.command(second, "import", str(file))

        async def has_arrived() -> bool:
            async with second.client() as http:
                return bool((await http.get("/api/content")).json()["pagination"]["total"])

        await eventually(has_arrived)
        await second.kill()
        await second.start()
        imported = await self.answer_of(import_)

        assert (imported["items"], imported["failed"], imported["checksum"]) == (ITEMS, 0, "right")
        assert imported["imported"] + imported["unchanged"] == ITEMS
        await self.answer_of(await self.command(second, "export", str(arrived)))
        assert len(self.hashes(file)) == ITEMS
        assert self.hashes(arrived) == self.hashes(file)
        again = await self.answer_of(await self.command(second, "import", str(file)))
        assert (again["imported"], again["unchanged"]) == (0, ITEMS)
        await Oracle(second).books_are_right()


def wait_until_begun(part: Path, whole: Path) -> None:
    """Look without pause: the part is gone as soon as it is whole, which it should not be yet."""
    for _ in range(LOOKS_MAX):
        with suppress(FileNotFoundError):
            if whole.exists() or part.stat().st_size > 300_000:
                return
        time.sleep(0.001)
    raise AssertionError(f"{part} was never begun")
