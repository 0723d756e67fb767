"""Files are uploaded, and the daemon dies between intent, bytes and books."""

import hashlib
from collections.abc import Mapping

import anyio
import httpx

from tests.faults.killing.site import Plot, Site
from tests.support.faulty import FaultyDaemon
from tests.support.oracle import Oracle, eventually, superuser
from tests.support.patience import PATIENCE_S
from tests.support.pictures import noise

FILES = 3
# What the last life had begun is given up at once.
_TIME_PASSES = (
    "update engarde.media_uploads set leased_until = '-infinity', sweep_due_at = '-infinity'"
)
_KEPT = "select storage_path from engarde.media_files"
_PROMISED = "select exists (select from engarde.reservations where state = 'pending')"


async def upload(site: Site, plot: Plot) -> None:
    """Each file is there once, and nothing else is: no bytes, no room."""
    daemon, chance = site.daemon, plot.chance
    await daemon.receive_guest()
    sent = {f"{plot.point}-{n}": noise(chance.randint(1, 90_000), n) for n in range(FILES)}
    kept: dict[str, str] = {}
    async with daemon.client() as http, anyio.create_task_group() as senders:
        # The ledger may promise room for all of them at once.
        passes = 1 if plot.point == "ledger.after_apply" else FILES
        daemon.will_die_at(plot.point, at_pass=chance.randint(1, passes))
        for key, data in sent.items():
            senders.start_soon(_send, http, daemon, (key, data), kept)
        await daemon.dies()
        async with superuser(daemon) as sql:
            await sql.execute(_TIME_PASSES)
        await daemon.start()

    assert len(kept) == FILES
    await _only_what_is_kept(daemon, plot.patience_s)
    await _reads_back(daemon, kept)
    await Oracle(daemon, patience_s=plot.patience_s).is_sound()


async def _send(
    http: httpx.AsyncClient, daemon: FaultyDaemon, file: tuple[str, bytes], kept: dict[str, str]
) -> None:
    """Send a file again and again until it is kept."""
    key, data = file
    with anyio.fail_after(PATIENCE_S):
        while True:
            try:
                answer = await http.post(
                    "/api/media",
                    files={"file": ("a.pdf", data, "application/pdf")},
                    headers={"Idempotency-Key": key},
                )
            except httpx.TransportError:
                await daemon.serving.wait()
                continue
            assert answer.status_code == 201, answer.text
            kept[answer.json()["id"]] = hashlib.sha256(data).hexdigest()
            return


async def _only_what_is_kept(daemon: FaultyDaemon, patience_s: float) -> None:
    folder = daemon.data_dir / "media"
    async with superuser(daemon) as sql:

        async def nothing_else_is_there() -> bool:
            rows = await sql.fetch(_KEPT)
            found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
            bytes_ = {path for path in found if not path.endswith(".thumbnail")}
            is_promised = await sql.fetchval(_PROMISED)
            return bytes_ == {row["storage_path"] for row in rows} and not is_promised

        await eventually(nothing_else_is_there, within_s=patience_s)


async def _reads_back(daemon: FaultyDaemon, kept: Mapping[str, str]) -> None:
    async with daemon.client() as http:
        for media_id, sha256 in kept.items():
            answer = await http.get(f"/api/media/{media_id}/file")
            assert hashlib.sha256(answer.content).hexdigest() == sha256
